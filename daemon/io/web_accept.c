/* Who may come in at all, before a byte of his is read: so many at a time, of one machine so many,
 * and not too often. What is refused here costs an accept and a close. */
#include <string.h>
#include <sys/socket.h>

#include "io/web_state.h"

#define ADDRESS_MIN   8   /* a browser opens six at once */
#define RATE_A_SECOND 50  /* connections of one machine; each request is one */
#define RATE_BURST    200 /* and so many at once: the page, and a screen wall that starts */

bool web_address_of(int fd, struct in6_addr *address)
{
    struct sockaddr_storage peer = {0};
    socklen_t bytes = sizeof(peer);
    *address = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    if (getpeername(fd, (struct sockaddr *)&peer, &bytes) != 0)
        return false;
    if (peer.ss_family == AF_INET)
        memcpy(&address->s6_addr[12], &((struct sockaddr_in *)&peer)->sin_addr, 4);
    else if (peer.ss_family == AF_INET6)
        *address = ((struct sockaddr_in6 *)&peer)->sin6_addr;
    /* In IPv6 a machine has as many addresses as it likes, all in one /64. */
    if (!IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_LOOPBACK(address))
        memset(&address->s6_addr[8], 0, 8);
    return true;
}

/* This machine itself: a proxy, or a screen wall, may need all places. */
static bool is_self(const struct in6_addr *address)
{
    static const struct in6_addr self = {
        .s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    return memcmp(address, &self, sizeof(self)) == 0 || IN6_IS_ADDR_LOOPBACK(address);
}

unsigned web_count_clients(const struct web *web, const struct in6_addr *address)
{
    unsigned count = 0;
    for (unsigned i = 0; i < web->places; i++)
        if (web->clients[i].wsi != NULL &&
            (address == NULL || memcmp(address, &web->clients[i].address, sizeof(*address)) == 0))
            count++;
    return count;
}

/* The account of this machine; of one that is new, in the place of who was silent for longest. */
static struct web_rate *account_of(struct web *web, const struct in6_addr *address, int64_t now_ms)
{
    struct web_rate *oldest = &web->rates[0];
    for (unsigned i = 0; i < WEB_RATES; i++) {
        struct web_rate *rate = &web->rates[i];
        if (memcmp(&rate->address, address, sizeof(*address)) == 0)
            return rate;
        if (rate->at_ms < oldest->at_ms)
            oldest = rate;
    }
    *oldest = (struct web_rate){*address, now_ms, RATE_BURST};
    return oldest;
}

static bool comes_too_often(struct web *web, const struct in6_addr *address)
{
    int64_t now_ms = web_mono_ms();
    struct web_rate *rate = account_of(web, address, now_ms);
    rate->left += (double)(now_ms - rate->at_ms) * RATE_A_SECOND / 1000;
    if (rate->left > RATE_BURST)
        rate->left = RATE_BURST;
    rate->at_ms = now_ms;
    if (rate->left < 1)
        return true;
    rate->left -= 1;
    return false;
}

int web_accept(struct web *web, int fd)
{
    struct in6_addr address;
    unsigned share = web->cap / 4 > ADDRESS_MIN ? web->cap / 4 : ADDRESS_MIN;
    if (!web->stopping && web_address_of(fd, &address) &&
        web_count_clients(web, NULL) < web->places &&
        (is_self(&address) ||
         (web_count_clients(web, &address) < share && !comes_too_often(web, &address))))
        return 0;
    web->refused++;
    return -1;
}
