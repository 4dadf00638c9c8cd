#include "io/password.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define JOBS (PASSWORD_AT_ONCE + PASSWORD_WAITING)

struct job {
    enum { JOB_FREE, JOB_WAITS, JOB_RUNS } state;
    uint64_t number; /* the lowest is next */
    bool seals;
    bool right;
    char password[PASSWORD_MAX_BYTES + 1], sealed[PASSWORD_SEALED_BYTES];
    password_cb *done;
    void *user;
    struct passwords *passwords;
    uv_work_t work;
};

struct passwords {
    uv_loop_t *loop;
    char nobody[PASSWORD_SEALED_BYTES]; /* a password that nobody knows */
    uint64_t newest, refused;
    struct job jobs[JOBS];
};

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_SEALED_BYTES, "a sealed password has room");

static bool seal(const char *password, char sealed[PASSWORD_SEALED_BYTES])
{
    return crypto_pwhash_str_alg(sealed, password, strlen(password), PASSWORD_PASSES,
                                 PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* A salt and a digest drawn at random: what fits it nobody knows, and to try takes as long. */
static void make_nobody(char sealed[PASSWORD_SEALED_BYTES])
{
    unsigned char salt[16], digest[32];
    char salt_text[32], digest_text[64];
    const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    randombytes_buf(salt, sizeof(salt));
    randombytes_buf(digest, sizeof(digest));
    snprintf(sealed, PASSWORD_SEALED_BYTES, "$argon2id$v=19$m=%zu,t=%d,p=1$%s$%s",
             PASSWORD_MEMORY / 1024, PASSWORD_PASSES,
             sodium_bin2base64(salt_text, sizeof(salt_text), salt, sizeof(salt), variant),
             sodium_bin2base64(digest_text, sizeof(digest_text), digest, sizeof(digest), variant));
}

struct passwords *passwords_create(uv_loop_t *loop)
{
    struct passwords *passwords = calloc(1, sizeof(*passwords));
    if (passwords == NULL)
        return NULL;
    passwords->loop = loop;
    make_nobody(passwords->nobody);
    return passwords;
}

static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->right = job->seals ? seal(job->password, job->sealed)
                            : crypto_pwhash_str_verify(job->sealed, job->password,
                                                       strlen(job->password)) == 0;
    sodium_memzero(job->password, sizeof(job->password));
}

static void run_next(struct passwords *passwords);

/* The place is free before it is told, for the next one may be put there at once. */
static void finish(struct job *job)
{
    char sealed[PASSWORD_SEALED_BYTES];
    memcpy(sealed, job->sealed, sizeof(sealed));
    password_cb *done = job->done;
    void *user = job->user;
    bool right = job->right;
    sodium_memzero(job->password, sizeof(job->password));
    job->state = JOB_FREE;
    run_next(job->passwords);
    done(user, right, sealed);
}

static void after_work(uv_work_t *work, int status)
{
    struct job *job = work->data;
    job->right = job->right && status == 0;
    finish(job);
}

static void run_next(struct passwords *passwords)
{
    struct job *next = NULL;
    unsigned running = 0;
    for (unsigned i = 0; i < JOBS; i++) {
        struct job *job = &passwords->jobs[i];
        running += job->state == JOB_RUNS;
        if (job->state == JOB_WAITS && (next == NULL || job->number < next->number))
            next = job;
    }
    if (next == NULL || running >= PASSWORD_AT_ONCE)
        return;
    next->state = JOB_RUNS;
    next->work.data = next;
    uv_queue_work(passwords->loop, &next->work, on_work, after_work);
}

static int begin(struct passwords *passwords, const char *password, const struct job *wanted)
{
    struct job *job = NULL;
    for (unsigned i = 0; i < JOBS && job == NULL; i++)
        if (passwords->jobs[i].state == JOB_FREE)
            job = &passwords->jobs[i];
    if (job == NULL) {
        passwords->refused++;
        return ERR_FULL;
    }
    if (strlen(password) > PASSWORD_MAX_BYTES)
        return ERR_RANGE;
    *job = *wanted;
    strcpy(job->password, password);
    job->passwords = passwords;
    job->number = ++passwords->newest;
    job->state = JOB_WAITS;
    run_next(passwords);
    return 0;
}

int password_try(struct passwords *passwords, const char *password, const char *sealed,
                 password_cb *done, void *user)
{
    struct job wanted = {.done = done, .user = user};
    snprintf(wanted.sealed, sizeof(wanted.sealed), "%s",
             *sealed != '\0' ? sealed : passwords->nobody);
    return begin(passwords, password, &wanted);
}

int password_seal(struct passwords *passwords, const char *password, password_cb *done, void *user)
{
    const struct job wanted = {.seals = true, .done = done, .user = user};
    return begin(passwords, password, &wanted);
}

void passwords_stats(const struct passwords *passwords, struct password_stats *stats)
{
    *stats = (struct password_stats){.refused = passwords->refused};
    for (unsigned i = 0; i < JOBS; i++)
        stats->held += passwords->jobs[i].state != JOB_FREE;
}

void passwords_stop(struct passwords *passwords)
{
    for (unsigned i = 0; passwords != NULL && i < JOBS; i++) {
        struct job *job = &passwords->jobs[i];
        if (job->state != JOB_WAITS)
            continue;
        job->state = JOB_FREE;
        sodium_memzero(job->password, sizeof(job->password));
        job->done(job->user, false, "");
    }
}

void passwords_destroy(struct passwords *passwords)
{
    free(passwords);
}
