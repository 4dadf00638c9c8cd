#include "io/certificate_names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

struct names {
    struct text text;
    char *first;
};

static bool is_host(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '.' && *at != '-')
            return false;
    return name[0] != '\0' && name[0] != '-' && name[0] != '.';
}

/* Only what is whole: a name that was cut would be another one. */
static void add(struct names *names, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    size_t needs = strlen(name) + sizeof(",DNS:");
    if ((!is_address && !is_host(name)) || strlen(name) > 253 ||
        names->text.length + needs >= CERTIFICATE_NAMES_BYTES)
        return;
    if (names->text.length == 0)
        snprintf(names->first, 256, "%.64s", name); /* as much as a common name may have */
    text_add(&names->text, "%s%s:%s", names->text.length > 0 ? "," : "", is_address ? "IP" : "DNS",
             name);
}

/* "hub.example:8443" without its port, "[::1]:8443" without that and its brackets. */
static void add_configured(struct names *names, const char *list)
{
    char name[256];
    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        const char *from = list + (*list == '[');
        size_t count = *list == '[' ? strcspn(from, "],") : strcspn(from, ":, \t");
        snprintf(name, sizeof(name), "%.*s", (int)count, from);
        if (count > 0)
            add(names, name);
        list += length;
    }
}

static void add_interfaces(struct names *names)
{
    struct ifaddrs *list;
    char name[INET6_ADDRSTRLEN];
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        const struct sockaddr *address = at->ifa_addr;
        if (address == NULL || (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
        const void *four = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
        bool is_six = address->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr);
        if ((is_six || address->sa_family == AF_INET) &&
            inet_ntop(address->sa_family, is_six ? &six->sin6_addr : four, name, sizeof(name)) !=
                NULL)
            add(names, name);
    }
    freeifaddrs(list);
}

void certificate_names(const char *configured, char out[CERTIFICATE_NAMES_BYTES], char first[256])
{
    char host[256] = "", local[sizeof(host) + sizeof(".local")];
    struct names names = {text_in(out, CERTIFICATE_NAMES_BYTES), first};
    first[0] = '\0';
    add_configured(&names, configured);
    if (gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0') {
        snprintf(local, sizeof(local), "%s.local", host);
        add(&names, host);
        if (strchr(host, '.') == NULL)
            add(&names, local); /* as mDNS has it */
    }
    add(&names, "localhost");
    add(&names, "127.0.0.1");
    add(&names, "::1");
    add_interfaces(&names);
}
