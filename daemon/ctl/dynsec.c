#include "dynsec.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTAsync.h>

#include "io/files.h"

#define TOPIC  "$CONTROL/dynamic-security/v1"
#define ANSWER TOPIC "/response"

struct dynsec {
    MQTTAsync client;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    bool connected, subscribed;
    const char *failed; /* a literal; NULL: nothing has */
    json_t *answers;    /* that came; NULL: none yet */
};

/* One for the process: Paho's threads may hold it until the end. */
static struct dynsec the_dynsec = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER};

/* ---- Paho's threads ---- */

static void tell(bool *what, const char *failed)
{
    pthread_mutex_lock(&the_dynsec.mutex);
    if (what != NULL)
        *what = true;
    if (failed != NULL && the_dynsec.failed == NULL)
        the_dynsec.failed = failed;
    pthread_cond_broadcast(&the_dynsec.changed);
    pthread_mutex_unlock(&the_dynsec.mutex);
}

static void on_connected(void *user, MQTTAsync_successData *data)
{
    (void)user, (void)data;
    tell(&the_dynsec.connected, NULL);
}

static void on_refused(void *user, MQTTAsync_failureData *data)
{
    (void)user;
    bool password = data != NULL && (data->code == 4 || data->code == 5);
    tell(NULL, password ? "the broker does not take the administrator's password"
                        : "no broker takes a connection");
}

static void on_subscribed(void *user, MQTTAsync_successData *data)
{
    (void)user, (void)data;
    tell(&the_dynsec.subscribed, NULL);
}

static void on_not_sent(void *user, MQTTAsync_failureData *data)
{
    (void)user, (void)data;
    tell(NULL, "the broker does not take what is said to it");
}

static void on_lost(void *user, char *cause)
{
    (void)user, (void)cause;
    tell(NULL, "the broker was lost");
}

static int on_arrived(void *user, char *topic, int length, MQTTAsync_message *message)
{
    (void)user, (void)length;
    json_t *said = json_loadb(message->payload, (size_t)message->payloadlen, 0, NULL);
    json_t *answers = json_incref(json_object_get(said, "responses"));
    json_decref(said);
    pthread_mutex_lock(&the_dynsec.mutex);
    json_decref(the_dynsec.answers);
    the_dynsec.answers = answers;
    pthread_cond_broadcast(&the_dynsec.changed);
    pthread_mutex_unlock(&the_dynsec.mutex);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- waiting for them ---- */

typedef bool ready_fn(void);

static bool is_connected(void)
{
    return the_dynsec.connected;
}

static bool is_subscribed(void)
{
    return the_dynsec.subscribed;
}

static bool is_answered(void)
{
    return the_dynsec.answers != NULL;
}

static int wait_until(ready_fn *ready, const char *silence, struct diag *diag)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DYNSEC_SECONDS;
    pthread_mutex_lock(&the_dynsec.mutex);
    while (the_dynsec.failed == NULL && !ready() && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&the_dynsec.changed, &the_dynsec.mutex, &until);
    const char *failed = ready() ? NULL : the_dynsec.failed != NULL ? the_dynsec.failed : silence;
    pthread_mutex_unlock(&the_dynsec.mutex);
    return failed == NULL ? 0 : diag_set(diag, ERR_IO, "%s", failed);
}

/* ---- the way there ---- */

static int join(const struct config *config, const char *word, struct diag *diag)
{
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    ssl.enableServerCertAuth = ssl.verify = ssl.disableDefaultTrustStore = 1;
    ssl.trustStore = config->broker.ca_file;
    if (config->broker.certificate_file[0] != '\0') {
        ssl.keyStore = config->broker.certificate_file;
        ssl.privateKey = config->broker.key_file;
    }
    options.ssl = config->broker.tls ? &ssl : NULL;
    options.cleansession = 1;
    options.connectTimeout = DYNSEC_SECONDS;
    options.username = DYNSEC_ADMIN;
    options.password = word;
    options.onSuccess = on_connected;
    options.onFailure = on_refused;
    if (MQTTAsync_connect(the_dynsec.client, &options) != MQTTASYNC_SUCCESS)
        return diag_set(diag, ERR_IO, "no connection with the broker could be begun");
    return wait_until(is_connected, "no broker takes a connection", diag);
}

static int subscribe(struct diag *diag)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = on_subscribed;
    options.onFailure = on_not_sent;
    if (MQTTAsync_subscribe(the_dynsec.client, ANSWER, 1, &options) != MQTTASYNC_SUCCESS)
        return diag_set(diag, ERR_IO, "the broker's answers cannot be heard");
    return wait_until(is_subscribed, "the broker does not answer", diag);
}

int dynsec_open(struct dynsec **out, const struct config *config, const char *admin_file,
                struct diag *diag)
{
    char uri[300], word[256];
    *out = NULL;
    int code = files_read_secret_line(admin_file, word, sizeof(word), diag);
    if (code != 0)
        return code;
    snprintf(uri, sizeof(uri), "%s://%s:%d", config->broker.tls ? "ssl" : "tcp",
             config->broker.host, (int)config->broker.port);
    if (MQTTAsync_create(&the_dynsec.client, uri, DYNSEC_ADMIN, MQTTCLIENT_PERSISTENCE_NONE,
                         NULL) != MQTTASYNC_SUCCESS)
        code = diag_set(diag, ERR_MEMORY, "no connection with %s can be made", uri);
    if (code == 0) {
        MQTTAsync_setCallbacks(the_dynsec.client, NULL, on_lost, on_arrived, NULL);
        code = join(config, word, diag);
    }
    explicit_bzero(word, sizeof(word));
    if (code == 0)
        code = subscribe(diag);
    if (code == 0)
        *out = &the_dynsec;
    return code;
}

void dynsec_close(struct dynsec *dynsec)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    if (dynsec == NULL)
        return;
    options.timeout = 1000;
    MQTTAsync_disconnect(dynsec->client, &options);
}

/* What was said may hold a password: it is wiped once Paho has its copy. */
static int say(struct dynsec *dynsec, const json_t *commands, struct diag *diag)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    json_t *whole = json_pack("{s:O}", "commands", commands);
    char *text = whole != NULL ? json_dumps(whole, JSON_COMPACT) : NULL;
    json_decref(whole);
    if (text == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    options.onFailure = on_not_sent;
    int rc = MQTTAsync_send(dynsec->client, TOPIC, (int)strlen(text), text, 1, 0, &options);
    explicit_bzero(text, strlen(text));
    free(text);
    return rc == MQTTASYNC_SUCCESS ? 0 : diag_set(diag, ERR_IO, "the broker was lost");
}

int dynsec_ask(struct dynsec *dynsec, json_t *commands, json_t **answers, struct diag *diag)
{
    size_t wanted = json_array_size(commands);
    *answers = NULL;
    pthread_mutex_lock(&dynsec->mutex);
    json_decref(dynsec->answers);
    dynsec->answers = NULL;
    pthread_mutex_unlock(&dynsec->mutex);
    int code = say(dynsec, commands, diag);
    json_decref(commands);
    if (code == 0)
        code = wait_until(is_answered,
                          "the broker's dynamic-security plugin does not answer: is it loaded, and "
                          "is this its administrator?",
                          diag);
    if (code != 0)
        return code;
    pthread_mutex_lock(&dynsec->mutex);
    *answers = dynsec->answers;
    dynsec->answers = NULL;
    pthread_mutex_unlock(&dynsec->mutex);
    if (json_array_size(*answers) == wanted)
        return 0;
    json_decref(*answers);
    *answers = NULL;
    return diag_set(diag, ERR_MALFORMED, "the broker's plugin answers otherwise than was asked");
}
