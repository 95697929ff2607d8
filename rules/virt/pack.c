#include "rules/virt/pack.h"

#include <assert.h>
#include <stdlib.h>

enum { KEY = 1, VALUE = 2 }; /* control characters: JSON has them in no string */

#define WORD(text) LG_STR(text)

/* Sorted by bytes. Keys of a guest's spec, and what usually stands there. */
static const struct lg_str words[] = {WORD("Equal"),
                                      WORD("Exists"),
                                      WORD("In"),
                                      WORD("LiveMigrate"),
                                      WORD("LiveMigrateIfPossible"),
                                      WORD("NoExecute"),
                                      WORD("NoSchedule"),
                                      WORD("None"),
                                      WORD("NotIn"),
                                      WORD("TCP"),
                                      WORD("UDP"),
                                      WORD("accessModes"),
                                      WORD("affinity"),
                                      WORD("amd64"),
                                      WORD("annotations"),
                                      WORD("apiVersion"),
                                      WORD("app"),
                                      WORD("architecture"),
                                      WORD("arm64"),
                                      WORD("autoattachPodInterface"),
                                      WORD("autoattachVSOCK"),
                                      WORD("binding"),
                                      WORD("bootloader"),
                                      WORD("bridge"),
                                      WORD("bus"),
                                      WORD("capacity"),
                                      WORD("cdrom"),
                                      WORD("claimName"),
                                      WORD("cloudInitConfigDrive"),
                                      WORD("cloudInitNoCloud"),
                                      WORD("cloudinitdisk"),
                                      WORD("conditions"),
                                      WORD("configMap"),
                                      WORD("containerDisk"),
                                      WORD("containerPath"),
                                      WORD("controller"),
                                      WORD("cores"),
                                      WORD("cpu"),
                                      WORD("creationTimestamp"),
                                      WORD("data"),
                                      WORD("dataVolume"),
                                      WORD("dedicatedCpuPlacement"),
                                      WORD("default"),
                                      WORD("deletionTimestamp"),
                                      WORD("destinationPVCInfo"),
                                      WORD("deviceName"),
                                      WORD("devices"),
                                      WORD("disk"),
                                      WORD("disks"),
                                      WORD("domain"),
                                      WORD("downwardAPI"),
                                      WORD("downwardMetrics"),
                                      WORD("effect"),
                                      WORD("efi"),
                                      WORD("emptyDisk"),
                                      WORD("enabled"),
                                      WORD("encryptedState"),
                                      WORD("end"),
                                      WORD("ephemeral"),
                                      WORD("evictionStrategy"),
                                      WORD("evmcs"),
                                      WORD("false"),
                                      WORD("features"),
                                      WORD("filesystems"),
                                      WORD("firmware"),
                                      WORD("frequencies"),
                                      WORD("generateName"),
                                      WORD("gpus"),
                                      WORD("guest"),
                                      WORD("host-model"),
                                      WORD("host-passthrough"),
                                      WORD("hostDevices"),
                                      WORD("hostDisk"),
                                      WORD("hotpluggable"),
                                      WORD("hugepages"),
                                      WORD("hyperv"),
                                      WORD("hypervPassthrough"),
                                      WORD("interfaces"),
                                      WORD("ipi"),
                                      WORD("isolateEmulatorThread"),
                                      WORD("key"),
                                      WORD("kind"),
                                      WORD("kubernetes.io/hostname"),
                                      WORD("kubevirt.io/domain"),
                                      WORD("kubevirt.io/nodeName"),
                                      WORD("kubevirt.io/schedulable"),
                                      WORD("kubevirt.io/size"),
                                      WORD("kubevirt.io/vm"),
                                      WORD("labelSelector"),
                                      WORD("labels"),
                                      WORD("launchSecurity"),
                                      WORD("limits"),
                                      WORD("lun"),
                                      WORD("macAddress"),
                                      WORD("machine"),
                                      WORD("macvtap"),
                                      WORD("masquerade"),
                                      WORD("matchExpressions"),
                                      WORD("matchFields"),
                                      WORD("matchLabelKeys"),
                                      WORD("matchLabels"),
                                      WORD("maxGuest"),
                                      WORD("maxSkew"),
                                      WORD("maxSockets"),
                                      WORD("memory"),
                                      WORD("memoryDump"),
                                      WORD("message"),
                                      WORD("metadata"),
                                      WORD("migratedVolumes"),
                                      WORD("mismatchLabelKeys"),
                                      WORD("model"),
                                      WORD("multus"),
                                      WORD("name"),
                                      WORD("namespace"),
                                      WORD("namespaceSelector"),
                                      WORD("namespaces"),
                                      WORD("networkName"),
                                      WORD("networks"),
                                      WORD("node-role.kubernetes.io/worker"),
                                      WORD("nodeAffinity"),
                                      WORD("nodeName"),
                                      WORD("nodeSelector"),
                                      WORD("nodeSelectorTerms"),
                                      WORD("numa"),
                                      WORD("operator"),
                                      WORD("ownerReferences"),
                                      WORD("pageSize"),
                                      WORD("passt"),
                                      WORD("passtBinding"),
                                      WORD("path"),
                                      WORD("pc-q35-rhel9.2.0"),
                                      WORD("pc-q35-rhel9.4.0"),
                                      WORD("persistent"),
                                      WORD("persistentVolumeClaim"),
                                      WORD("persistentVolumeClaimInfo"),
                                      WORD("phase"),
                                      WORD("pod"),
                                      WORD("podAffinity"),
                                      WORD("podAffinityTerm"),
                                      WORD("podAntiAffinity"),
                                      WORD("policy"),
                                      WORD("port"),
                                      WORD("portRanges"),
                                      WORD("ports"),
                                      WORD("preference"),
                                      WORD("preferredDuringSchedulingIgnoredDuringExecution"),
                                      WORD("protocol"),
                                      WORD("q35"),
                                      WORD("readOnly"),
                                      WORD("readonly"),
                                      WORD("realtime"),
                                      WORD("reason"),
                                      WORD("reenlightenment"),
                                      WORD("requestName"),
                                      WORD("requests"),
                                      WORD("require"),
                                      WORD("requiredDuringSchedulingIgnoredDuringExecution"),
                                      WORD("reservation"),
                                      WORD("reset"),
                                      WORD("resources"),
                                      WORD("root"),
                                      WORD("rootdisk"),
                                      WORD("runtime"),
                                      WORD("sata"),
                                      WORD("schedulerName"),
                                      WORD("scsi"),
                                      WORD("secret"),
                                      WORD("secureBoot"),
                                      WORD("serviceAccount"),
                                      WORD("sev"),
                                      WORD("shareable"),
                                      WORD("shared"),
                                      WORD("slirp"),
                                      WORD("snp"),
                                      WORD("sockets"),
                                      WORD("sourcePVCInfo"),
                                      WORD("spec"),
                                      WORD("sriov"),
                                      WORD("start"),
                                      WORD("state"),
                                      WORD("status"),
                                      WORD("synic"),
                                      WORD("synictimer"),
                                      WORD("sysprep"),
                                      WORD("tdx"),
                                      WORD("threads"),
                                      WORD("tlbflush"),
                                      WORD("tolerationSeconds"),
                                      WORD("tolerations"),
                                      WORD("topology.kubernetes.io/zone"),
                                      WORD("topologyKey"),
                                      WORD("topologySpreadConstraints"),
                                      WORD("tpm"),
                                      WORD("true"),
                                      WORD("type"),
                                      WORD("uid"),
                                      WORD("utilityVolumes"),
                                      WORD("value"),
                                      WORD("values"),
                                      WORD("virtio"),
                                      WORD("virtiofs"),
                                      WORD("vm.kubevirt.io/flavor"),
                                      WORD("vm.kubevirt.io/name"),
                                      WORD("vm.kubevirt.io/os"),
                                      WORD("vm.kubevirt.io/workload"),
                                      WORD("volumeMode"),
                                      WORD("volumeName"),
                                      WORD("volumeStatus"),
                                      WORD("volumes"),
                                      WORD("vpindex"),
                                      WORD("weight"),
                                      WORD("whenUnsatisfiable")};
enum { WORDS = sizeof words / sizeof *words };
static_assert(WORDS < 255, "a word's number is a byte, and not 0");

static int by_text(const void *a, const void *b)
{
    return lg_str_cmp(*(const struct lg_str *)a, *(const struct lg_str *)b);
}

/* Behind the closing quote of the string whose text begins at p. */
static const char *string_end(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p < end ? p + 1 : end;
}

void lg_pack(struct lg_buf *buf, struct lg_str json)
{
    const char *end = json.p + json.n;
    const char *from = json.p;
    for (const char *p = json.p; p < end;) {
        if (*p != '"') {
            p++;
            continue;
        }
        const char *quote = p;
        p = string_end(quote + 1, end);
        const struct lg_str text = {quote + 1, (size_t)(p - quote - 2)};
        const struct lg_str *word = bsearch(&text, words, WORDS, sizeof *words, by_text);
        if (word == NULL)
            continue;
        bool key = p < end && *p == ':';
        lg_buf_add(buf, from, (size_t)(quote - from));
        lg_buf_putc(buf, key ? KEY : VALUE);
        lg_buf_putc(buf, (char)(word - words + 1));
        p += key;
        from = p;
    }
    lg_buf_add(buf, from, (size_t)(end - from));
}

static bool is_code(char c)
{
    return c == KEY || c == VALUE;
}

static const struct lg_str *word_at(const char *p)
{
    return &words[(unsigned char)p[1] - 1];
}

static size_t unpacked_bytes(struct lg_str packed)
{
    size_t n = 0;
    for (size_t i = 0; i < packed.n; i++, n++)
        if (is_code(packed.p[i])) {
            n += word_at(packed.p + i)->n + (packed.p[i] == KEY) + 1;
            i++;
        }
    return n;
}

struct lg_str lg_unpack(struct lg_str packed, struct lg_arena *arena)
{
    size_t n = unpacked_bytes(packed);
    char *text = lg_arena_alloc(arena, n + 1);
    char *to = text;
    for (size_t i = 0; i < packed.n; i++) {
        char c = packed.p[i];
        if (!is_code(c)) {
            *to++ = c;
            continue;
        }
        const struct lg_str *word = word_at(packed.p + i++);
        *to++ = '"';
        memcpy(to, word->p, word->n);
        to += word->n;
        *to++ = '"';
        if (c == KEY)
            *to++ = ':';
    }
    assert((size_t)(to - text) == n);
    return (struct lg_str){text, n};
}
