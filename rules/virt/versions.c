#include "rules/virt/versions.h"

#include <assert.h>

static const struct lg_difference_row differences[LG_DIFFERENCE_COUNT] = {
    [LG_DIFFERENCE_VIRTIOFS_STAYS] =
        {"a virtiofs filesystem stops live migration", 0, 104, false,
         "KubeVirt up to 1.4 pkg/virt-handler/vm.go, VirtIOFSNotLiveMigratable"},
    [LG_DIFFERENCE_RESERVATION_STAYS] =
        {"a SCSI persistent reservation stops live migration", 0, 108, false,
         "KubeVirt up to 1.8 pkg/virt-handler/vm.go, PersistentReservationNotLiveMigratable"},
    [LG_DIFFERENCE_STATE_CLAIM_STAYS] =
        {"the claim that keeps the state of a TPM or of EFI may be ReadWriteOnce, and then stops "
         "live migration",
         103, 103, false, "KubeVirt 1.3 pkg/storage/backend-storage"},
    [LG_DIFFERENCE_ANY_GPU_STAYS] =
        {"every GPU stops live migration", 0, 108, false,
         "KubeVirt up to 1.8 pkg/virt-handler/vm.go, HostDeviceNotLiveMigratable"},
    [LG_DIFFERENCE_TDX_STAYS] = {"TDX stops live migration", 107, LG_VERSION_ON, false,
                                 "KubeVirt 1.7 pkg/virt-handler/vm.go, TDXNotLiveMigratable"},
    [LG_DIFFERENCE_SECURE_EXECUTION_STAYS] =
        {"Secure Execution on s390x stops live migration", 106, LG_VERSION_ON, false,
         "KubeVirt 1.6 pkg/virt-handler/vm.go, SecureExecutionNotLiveMigratable"},
    [LG_DIFFERENCE_HYPERV_PASSTHROUGH_STAYS] =
        {"Hyper-V passthrough stops live migration", 103, LG_VERSION_ON, false,
         "KubeVirt 1.3 pkg/virt-handler/vm.go, HypervPassthroughNotLiveMigratable"},
    [LG_DIFFERENCE_PASST_BINDING] = {"passtBinding is a core binding, and migratable", 108,
                                     LG_VERSION_ON, true,
                                     "KubeVirt 1.8 pkg/network/vmispec, VerifyVMIMigratable"},
    [LG_DIFFERENCE_OLD_BINDINGS_GONE] =
        {"the bindings slirp, passt and macvtap are refused when a VM is created", 103,
         LG_VERSION_ON, false, "KubeVirt 1.3 pkg/network/admitter/discontinued.go"},
    [LG_DIFFERENCE_BETA_GATES_ON] =
        {"feature gates in Beta are on unless disabledFeatureGates names them", 109, LG_VERSION_ON,
         true, "KubeVirt 1.9 pkg/virt-config/featuregate"},
    [LG_DIFFERENCE_ADDED_SELECTOR] =
        {"addedNodeSelector of a migration narrows its targets; before, the API server drops it",
         106, LG_VERSION_ON, false,
         "KubeVirt 1.6 api/core/v1, VirtualMachineInstanceMigrationSpec"},
    [LG_DIFFERENCE_RESERVATION_APART] =
        {"guests that hold a SCSI persistent reservation on one claim are kept on nodes of their "
         "own",
         109, LG_VERSION_ON, false, "KubeVirt 1.9 pkg/storage/reservation/pr.go"},
    [LG_DIFFERENCE_PRIORITY] = {"a migration may have a priority, which only KubeVirt sets; "
                                "before, the API server drops it",
                                107, LG_VERSION_ON, true, "KubeVirt 1.7 pkg/util/migrations"},
};

/* Up to three digits at *io_at. */
static int read_number(struct lg_str s, size_t *io_at)
{
    int number = 0;
    size_t from = *io_at;
    for (; *io_at < s.n && *io_at - from < 3; (*io_at)++) {
        if (s.p[*io_at] < '0' || s.p[*io_at] > '9')
            break;
        number = number * 10 + (s.p[*io_at] - '0');
    }
    return *io_at != from ? number : -1;
}

/* Source: the release branches of HyperConverged, whose 1.N ships KubeVirt 1.(N-10) and is
 * OpenShift Virtualization 4.(N+4). */
enum { OPENSHIFT_MAJOR = 4, OPENSHIFT_MINOR_OF_1_0 = 14 };

int lg_version_read(struct lg_str text)
{
    size_t at = text.n != 0 && text.p[0] == 'v';
    int major = read_number(text, &at);
    if (at == text.n || text.p[at] != '.')
        return 0;
    at++;
    int minor = read_number(text, &at);
    bool ends = at == text.n || text.p[at] == '.' || text.p[at] == '-' || text.p[at] == '+';
    if (!ends || minor < 0 || minor >= 100)
        return 0;
    if (major == OPENSHIFT_MAJOR)
        return minor >= OPENSHIFT_MINOR_OF_1_0 ? 100 + minor - OPENSHIFT_MINOR_OF_1_0 : 0;
    return major > 0 && major < OPENSHIFT_MAJOR ? 100 * major + minor : 0;
}

struct gate_row {
    const char *name;
    int beta_since;   /* 0 = it was not Beta in any version */
    bool restrictive; /* on is the stricter answer */
};

static const struct gate_row gates[LG_GATE_COUNT] = {
    [LG_GATE_VGPU_MIGRATION] = {"VGPULiveMigration", 0, false},
    [LG_GATE_DECENTRALIZED_MIGRATION] = {"DecentralizedLiveMigration", 109, false},
    [LG_GATE_HYPERV_STRICT_CHECK] = {"HypervStrictCheck", 0, true},
};

static bool holds(int version, enum lg_difference difference)
{
    return version >= differences[difference].since && version <= differences[difference].until;
}

bool lg_version_has(const struct lg_settings *settings, enum lg_difference difference)
{
    assert((unsigned)difference < LG_DIFFERENCE_COUNT);
    bool observed = holds(settings->version, difference);
    bool target = holds(settings->target_version, difference);
    return differences[difference].permits ? observed && target : observed || target;
}

const struct lg_difference_row *lg_version_row(enum lg_difference difference)
{
    assert((unsigned)difference < LG_DIFFERENCE_COUNT);
    return &differences[difference];
}

static bool named(struct lg_strs list, const char *name)
{
    for (size_t i = 0; i < list.n; i++)
        if (lg_str_is(list.items[i], name))
            return true;
    return false;
}

/* Before 1.9 there were no gates to switch off: the API server drops the list. */
static bool is_on_in(const struct lg_settings *settings, const struct gate_row *gate, int version)
{
    bool defaults = holds(version, LG_DIFFERENCE_BETA_GATES_ON);
    if (defaults && named(settings->disabled_gates, gate->name))
        return false;
    bool beta = gate->beta_since != 0 && version >= gate->beta_since;
    return named(settings->gates, gate->name) || (defaults && beta);
}

bool lg_gate_is_on(const struct lg_settings *settings, enum lg_gate gate)
{
    assert((unsigned)gate < LG_GATE_COUNT);
    bool observed = is_on_in(settings, &gates[gate], settings->version);
    bool target = is_on_in(settings, &gates[gate], settings->target_version);
    return gates[gate].restrictive ? observed || target : observed && target;
}

const char *lg_gate_name(enum lg_gate gate)
{
    assert((unsigned)gate < LG_GATE_COUNT);
    return gates[gate].name;
}
