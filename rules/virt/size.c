#include "rules/virt/size.h"

#include "rules/kube/quantity.h"

/* The first of these paths that is a positive quantity. */
static bool first_quantity(struct lg_val domain, const char *const *paths, size_t n,
                           struct lg_quantity *ret)
{
    for (size_t i = 0; i < n; i++)
        if (lg_quantity_read(lg_json_at(domain, paths[i]), ret) == LG_E_OK && ret->milli > 0)
            return true;
    return false;
}

#define FIRST(domain, paths, ret)                                                                  \
    first_quantity(domain, paths, sizeof(paths) / sizeof(*(paths)), ret)

/* Absent counts once; 0 where nothing is said at all, or it is no sensible number. */
static int64_t cpus(struct lg_val cpu)
{
    static const char *const factors[] = {"cores", "sockets", "threads"};
    int64_t product = 1;
    bool said = false;
    for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++) {
        int64_t n;
        if (lg_json_int64(lg_json_get(cpu, factors[i]), &n) != LG_E_OK || n == 0)
            continue;
        said = true;
        if (n < 0 || __builtin_mul_overflow(product, n, &product))
            return 0;
    }
    return said && product < INT32_MAX ? product : 0;
}

static int64_t cpu_milli_of(struct lg_val domain, const struct lg_settings *settings)
{
    static const char *const paths[] = {"resources.requests.cpu", "resources.limits.cpu"};
    struct lg_val cpu = lg_json_get(domain, "cpu");
    struct lg_quantity asked;
    int64_t n = cpus(cpu);
    bool said = FIRST(domain, paths, &asked);
    if (lg_json_bool(lg_json_get(cpu, "dedicatedCpuPlacement"), false)) {
        int64_t whole = n == 0 && said ? asked.value : n;
        bool emulator = lg_json_bool(lg_json_get(cpu, "isolateEmulatorThread"), false);
        return whole > 0 && whole < INT32_MAX ? (whole + emulator) * 1000 : -1;
    }
    if (said)
        return asked.milli;
    return n > 0 ? n * 1000 / settings->cpu_allocation_ratio : -1;
}

static int64_t guest_bytes(struct lg_val domain)
{
    static const char *const paths[] = {"memory.guest", "resources.requests.memory",
                                        "resources.limits.memory"};
    struct lg_quantity bytes;
    return FIRST(domain, paths, &bytes) ? bytes.value : -1;
}

static int64_t requested_bytes(struct lg_val domain, const struct lg_settings *settings)
{
    static const char *const paths[] = {"resources.requests.memory", "resources.limits.memory"};
    struct lg_quantity bytes;
    if (FIRST(domain, paths, &bytes))
        return bytes.value;
    int64_t guest = guest_bytes(domain);
    if (guest <= 0)
        return -1;
    return guest / settings->memory_overcommit * 100 +
           guest % settings->memory_overcommit * 100 / settings->memory_overcommit;
}

struct lg_capacity lg_guest_size(struct lg_val vmi_spec, const struct lg_settings *settings)
{
    struct lg_val domain = lg_json_get(vmi_spec, "domain");
    struct lg_str page = lg_json_str_at(domain, "memory.hugepages.pageSize");
    struct lg_capacity size = {.cpu_milli = cpu_milli_of(domain, settings),
                               .memory_bytes = -1,
                               .huge_2m_bytes = -1,
                               .huge_1g_bytes = -1};
    if (lg_str_is(page, "2Mi"))
        size.huge_2m_bytes = guest_bytes(domain);
    else if (lg_str_is(page, "1Gi"))
        size.huge_1g_bytes = guest_bytes(domain);
    else if (lg_str_empty(page))
        size.memory_bytes = requested_bytes(domain, settings);
    return size;
}

bool lg_size_next(const struct lg_capacity *size, const struct lg_capacity *allocatable,
                  size_t *pos, const char **ret_name, int64_t *ret_asked, int64_t *ret_has)
{
    const struct {
        const char *name;
        int64_t asked, has;
    } rows[] = {
        {"cpu", size->cpu_milli, allocatable->cpu_milli},
        {"memory", size->memory_bytes, allocatable->memory_bytes},
        {"hugepages-2Mi", size->huge_2m_bytes, allocatable->huge_2m_bytes},
        {"hugepages-1Gi", size->huge_1g_bytes, allocatable->huge_1g_bytes},
    };
    while (*pos < sizeof(rows) / sizeof(*rows)) {
        size_t i = (*pos)++;
        if (rows[i].asked <= 0)
            continue;
        *ret_name = rows[i].name;
        *ret_asked = rows[i].asked;
        *ret_has = rows[i].has;
        return true;
    }
    return false;
}

bool lg_size_fits(const struct lg_capacity *size, const struct lg_capacity *allocatable)
{
    return (allocatable->cpu_milli < 0 || size->cpu_milli <= allocatable->cpu_milli) &&
           (allocatable->memory_bytes < 0 || size->memory_bytes <= allocatable->memory_bytes) &&
           (allocatable->huge_2m_bytes < 0 || size->huge_2m_bytes <= allocatable->huge_2m_bytes) &&
           (allocatable->huge_1g_bytes < 0 || size->huge_1g_bytes <= allocatable->huge_1g_bytes);
}

struct lg_str lg_size_text(const char *name, int64_t amount, struct lg_arena *arena)
{
    const long long mi = 1024LL * 1024, gi = 1024 * mi, n = amount;
    if (strcmp(name, "cpu") == 0)
        return n % 1000 == 0 ? lg_arena_printf(arena, "%lld", n / 1000)
                             : lg_arena_printf(arena, "%lldm", n);
    if (n > 0 && n % gi == 0)
        return lg_arena_printf(arena, "%lldGi", n / gi);
    return lg_arena_printf(arena, "%lldMi", n / mi + (n % mi != 0));
}
