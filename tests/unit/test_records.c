#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/pack.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

LG_DEFINE_CLEANUP(struct lg_record, lg_record_unref)

static void a_node_keeps_what_it_can_give(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        struct lg_capacity expected;
    } rows[] = {
        {"{}", {-1, -1, -1, -1}},
        {"{'allocatable':{'cpu':'15500m','memory':'1Gi'}}", {15500, 1073741824, 0, 0}},
        {"{'allocatable':{'cpu':16,'memory':'1Gi','hugepages-2Mi':'64Mi','hugepages-1Gi':'0'}}",
         {16000, 1073741824, 67108864, 0}},
        {"{'allocatable':{'cpu':'many','hugepages-1Gi':'2Gi'}}", {-1, -1, -1, 2147483648}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_str text = lg_arena_printf(
            &objects.arena, "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n'},'status':%s}",
            rows[i].status);
        struct lg_record *r lg_cleanup(lg_record_unref_cleanup) =
            lg_objects_record(&objects, text.p);
        const struct lg_capacity *got = &((const struct lg_node *)r)->allocatable;
        assert_int_equal(got->cpu_milli, rows[i].expected.cpu_milli);
        assert_int_equal(got->memory_bytes, rows[i].expected.memory_bytes);
        assert_int_equal(got->huge_2m_bytes, rows[i].expected.huge_2m_bytes);
        assert_int_equal(got->huge_1g_bytes, rows[i].expected.huge_1g_bytes);
    }
}

#define APART_VMI(terms, state)                                                                    \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'v'},"      \
    "'spec':{'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':"     \
    "[" terms "]}}},'status':{" state "}}"

static void a_guest_keeps_whom_it_keeps_off_and_whether_it_moved(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, APART_VMI("{'topologyKey' : 'zone'}",
                            "'topologyHints':{'tscFrequency':2000},'migrationState':"
                            "{'completed':true}"));
    const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)r;
    lg_assert_str(vmi->apart, "[{\"topologyKey\":\"zone\"}]");
    assert_false(vmi->apart_elsewhere);
    assert_true(vmi->moved_before);
    int64_t hint = 0;
    struct lg_val kept = lg_vmi_object(vmi, &objects.arena);
    assert_int_equal(lg_json_int64(lg_json_at(kept, "status.topologyHints.tscFrequency"), &hint),
                     LG_E_OK);
    assert_int_equal(hint, 2000);
    struct lg_record *other lg_cleanup(lg_record_unref_cleanup) =
        lg_objects_record(&objects, APART_VMI("{},{'namespaceSelector':{}}",
                                              "'migrationState':{'completed':true,'failed':true}"));
    vmi = (const struct lg_vmi_record *)other;
    assert_true(vmi->apart_elsewhere);
    assert_false(vmi->moved_before);
    struct lg_record *none lg_cleanup(lg_record_unref_cleanup) =
        lg_objects_record(&objects, APART_VMI("", ""));
    lg_assert_str(((const struct lg_vmi_record *)none)->apart, "");
}

static void a_node_keeps_labels_taints_and_readiness(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects,
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','uid':'u-1','namespace':'x',"
        "'creationTimestamp':'2026-01-01T00:00:00Z','labels':{'b':'2','a':'1','c':null}},"
        "'spec':{'unschedulable':true,'taints':[{'key':'k','value':'v','effect':'NoSchedule'},"
        "{'key':'gone','effect':'NoExecute','timeAdded':'2026-01-01T00:00:00Z'}]},"
        "'status':{'conditions':[{'type':'DiskPressure','status':'False'},"
        "{'type':'Ready','status':'Unknown'}]}}");
    const struct lg_node *node = (const struct lg_node *)r;
    assert_int_equal(r->kind, LG_KIND_NODE);
    assert_int_equal(r->refs, 1);
    lg_assert_str(r->ns, "");
    lg_assert_str(r->name, "n1");
    lg_assert_str(lg_record_key(r), "/n1");
    lg_assert_str(r->uid, ""); /* nobody asks for it */
    assert_int_equal(r->created_unix_s, 1767225600);
    assert_false(r->deleting);
    assert_int_equal(node->labels.n, 2);
    lg_assert_str(node->labels.items[0].key, "a");
    lg_assert_str(node->labels.items[1].value, "2");
    assert_int_equal(node->taints.n, 2);
    lg_assert_str(node->taints.items[0].key, "k");
    lg_assert_str(node->taints.items[0].value, "v");
    assert_int_equal(node->taints.items[1].effect, LG_EFFECT_NO_EXECUTE);
    assert_true(node->unschedulable);
    assert_true(node->not_ready);
}

static void a_node_without_a_ready_condition_is_not_called_unready(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) =
        lg_objects_record(&objects, "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'}}");
    const struct lg_node *node = (const struct lg_node *)r;
    assert_false(node->not_ready);
    assert_false(node->unschedulable);
    assert_int_equal(node->labels.n, 0);
    assert_int_equal(node->taints.n, 0);
    assert_int_equal(r->created_unix_s, 0);
}

static void a_claim_keeps_what_it_asks_for(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects,
        "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'data','namespace':"
        "'web','deletionTimestamp':'2026-01-01T00:00:00Z'},'spec':{'accessModes':['ReadWriteOnce',"
        "'ReadWriteMany','ReadWriteOnce'],'volumeMode':'Block','storageClassName':'','volumeName':"
        "'pv-1'}}");
    const struct lg_claim *claim = (const struct lg_claim *)r;
    lg_assert_str(lg_record_key(r), "web/data");
    assert_true(r->deleting);
    assert_int_equal(claim->spec.modes.n, 3);
    assert_int_equal(claim->spec.modes.items[1], LG_MODE_RWX);
    assert_int_equal(claim->spec.volume_mode, LG_VOLUME_MODE_BLOCK);
    assert_true(claim->spec.has_class);
    lg_assert_str(claim->spec.class_name, "");
    assert_false(claim->spec.storage_api);
    assert_false(claim->spec.from_profile);
    lg_assert_str(claim->volume_name, "pv-1");
}

static void an_object_without_a_namespace_stands_in_default(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'data'}}");
    lg_assert_str(r->ns, "default");
    lg_assert_str(lg_record_key(r), "default/data");
}

static void a_claim_rendered_by_profile_is_told_by_label_or_volume_mode(void **state)
{
    (void)state;
    struct lg_claim_spec spec = lg_claim_spec_of_claim(lg_objects_parse(
        &objects, "{'metadata':{'labels':{'cdi.kubevirt.io/applyStorageProfile':'true'},"
                  "'annotations':{'cdi.kubevirt.io/storage.contentType':'archive'}},'spec':{}}"));
    assert_true(spec.from_profile);
    assert_true(spec.archive);
    assert_false(spec.has_class);
    spec = lg_claim_spec_of_claim(
        lg_objects_parse(&objects, "{'spec':{'volumeMode':'FromStorageProfile'}}"));
    assert_true(spec.from_profile);
    assert_int_equal(spec.volume_mode, LG_VOLUME_MODE_UNSET);
    spec = lg_claim_spec_of_claim(lg_objects_parse(
        &objects, "{'metadata':{'labels':{'cdi.kubevirt.io/applyStorageProfile':'false'}}}"));
    assert_false(spec.from_profile);
}

static void a_data_volume_is_read_from_pvc_or_storage(void **state)
{
    (void)state;
    struct lg_claim_spec spec = lg_claim_spec_of_data_volume(lg_objects_parse(
        &objects, "{'storage':{'accessModes':['ReadOnlyMany'],'storageClassName':'fast'},"
                  "'contentType':'archive'}"));
    assert_true(spec.storage_api);
    assert_true(spec.archive);
    assert_int_equal(spec.modes.n, 1);
    assert_int_equal(spec.modes.items[0], LG_MODE_ROX);
    lg_assert_str(spec.class_name, "fast");
    spec = lg_claim_spec_of_data_volume(lg_objects_parse(
        &objects, "{'pvc':{'accessModes':['ReadWriteOncePod'],'volumeMode':'Filesystem'},"
                  "'storage':{'accessModes':['ReadWriteMany']}}"));
    assert_false(spec.storage_api);
    assert_int_equal(spec.modes.items[0], LG_MODE_RWOP);
    assert_int_equal(spec.volume_mode, LG_VOLUME_MODE_FILESYSTEM);
}

static void storage_objects_keep_defaults_sets_and_affinity(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'storage.k8s.io/v1','kind':'StorageClass','provisioner':'p.io',"
                  "'metadata':{'name':'c','annotations':{'storageclass.kubernetes.io/"
                  "is-default-class':'false','storageclass.kubevirt.io/is-default-virt-class':"
                  "'true'}}}");
    const struct lg_storage_class *class = (const struct lg_storage_class *)r;
    lg_assert_str(class->provisioner, "p.io");
    assert_false(class->is_default);
    assert_true(class->is_virt_default);

    struct lg_record *p lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'StorageProfile','metadata':"
                  "{'name':'c'},'spec':{'claimPropertySets':[{'accessModes':['ReadWriteOnce']}]},"
                  "'status':{'claimPropertySets':[{'accessModes':['ReadWriteMany'],'volumeMode':"
                  "'Block'},{'accessModes':['ReadWriteOnce']}]}}");
    const struct lg_storage_profile *profile = (const struct lg_storage_profile *)p;
    assert_int_equal(profile->n_sets, 2);
    assert_int_equal(profile->sets[0].modes.items[0], LG_MODE_RWX);
    assert_int_equal(profile->sets[0].volume_mode, LG_VOLUME_MODE_BLOCK);
    assert_int_equal(profile->sets[1].volume_mode, LG_VOLUME_MODE_UNSET);

    struct lg_record *v lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'v'},'spec':"
                  "{'nodeAffinity':{'required':{'nodeSelectorTerms':[]}}}}");
    lg_assert_str(((const struct lg_volume *)v)->node_affinity, "{\"nodeSelectorTerms\":[]}");
}

static void a_profile_without_status_counts_as_it_is_written(void **state)
{
    (void)state;
    struct lg_record *p lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'StorageProfile','metadata':"
                  "{'name':'c'},'spec':{'claimPropertySets':[{'accessModes':['ReadWriteMany'],"
                  "'volumeMode':'Block'}]}}");
    assert_int_equal(((const struct lg_storage_profile *)p)->n_sets, 1);
    struct lg_record *q lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'StorageProfile','metadata':"
                  "{'name':'c'},'status':{'storageClass':'c'},'spec':{'claimPropertySets':["
                  "{'accessModes':['ReadWriteMany'],'volumeMode':'Block'}]}}");
    assert_int_equal(((const struct lg_storage_profile *)q)->n_sets, 0);
}

static void a_vm_keeps_which_claims_its_volumes_use(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects,
        "{'apiVersion':'kubevirt.io/v1alpha3','kind':'VirtualMachine','metadata':{'name':'vm',"
        "'namespace':'web'},'spec':{'runStrategy':'WaitAsReceiver','template':{'spec':{'domain':{"
        "'devices':{'disks':[{'name':'a','lun':{'reservation':true}},{'name':'b','lun':{}},null],"
        "'filesystems':[{'name':'b','virtiofs':{}},{'name':'e','virtiofs':{}},null]}},"
        "'volumes':["
        "{'name':'a','persistentVolumeClaim':{'claimName':'ca'}},"
        "{'name':'b','dataVolume':{'name':'cb'}},"
        "{'name':'c','ephemeral':{'persistentVolumeClaim':{'claimName':'cc'}}},"
        "{'name':'d','memoryDump':{'claimName':'cd'}},"
        "{'name':'e','containerDisk':{'image':'x'}},null]}}}}");
    const struct lg_vm_record *vm = (const struct lg_vm_record *)r;
    assert_true(vm->wait_as_receiver);
    assert_int_equal(vm->n_uses, 4);
    static const char *const claims[] = {"ca", "cb", "cc", "cd"};
    static const char *const volumes[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        lg_assert_str(vm->uses[i].claim, claims[i]);
        lg_assert_str(vm->uses[i].volume, volumes[i]);
        assert_int_equal(vm->uses[i].how, LG_USE_CLAIM + i);
        assert_int_equal(vm->uses[i].as_files, i == 1);
        assert_int_equal(vm->uses[i].reserves, i == 0);
    }
}

#define VOLUMES                                                                                    \
    "'volumes':[{'name':'a','dataVolume':{'name':'made'}},"                                        \
    "{'name':'b','persistentVolumeClaim':{'claimName':'cb'}}],"                                    \
    "'domain':{'devices':{'filesystems':[{'name':'b','virtiofs':{}}]}}"

static void a_template_keeps_what_all_its_guests_share(void **state)
{
    (void)state;
    struct lg_record *pool lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects,
        "{'apiVersion':'pool.kubevirt.io/v1beta1','kind':'VirtualMachinePool','metadata':{'name':"
        "'p','namespace':'web'},'spec':{'virtualMachineTemplate':{'spec':{'dataVolumeTemplates':["
        "{'metadata':{'name':'made'}},null,{}],'template':{'spec':{" VOLUMES "}}}}}}");
    const struct lg_vm_record *vm = (const struct lg_vm_record *)pool;
    assert_int_equal(vm->n_uses, 1);
    lg_assert_str(vm->uses[0].claim, "cb");
    assert_true(vm->uses[0].as_files);
    struct lg_record *set lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects,
        "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceReplicaSet','metadata':{"
        "'name':'r','namespace':'web'},'spec':{'template':{'spec':{" VOLUMES "}}}}");
    vm = (const struct lg_vm_record *)set;
    assert_int_equal(vm->n_uses, 2);
    lg_assert_str(vm->uses[0].claim, "made");
    assert_false(vm->uses[0].as_files);
    lg_assert_str(vm->uses[1].claim, "cb");
    assert_true(vm->uses[1].as_files);
}

static void a_vmi_keeps_its_slice_as_text_without_what_is_secret(void **state)
{
    (void)state;
    struct lg_str source = LG_STR(
        "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstance\",\"metadata\":"
        "{\"name\":\"vm\", \"namespace\":\"web\",\"labels\":{\"app\": "
        "\"x\"},\"managedFields\":[{}],"
        "\"annotations\":{\"other\":\"y\",\"kubevirt.io/a\":\"v1\",\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"{}\",\"kubevirt.io/b\":\"q \\\" q\"}},\n \"spec\": {\n"
        "  \"volumes\": [ {\"name\":\"ci\", \"cloudInitNoCloud\": {\"userData\":\"pass word\"} },\n"
        "   {\"cloudInitConfigDrive\":{\"a\":1},\"name\":\"c d\\\\\"} ],\n"
        "  \"nodeSelector\": {\"a\": \"b  c\"} "
        "},\"status\":{\"nodeName\":\"n1\",\"phase\":\"Running\","
        "\"migratedVolumes\":[ {\"volumeName\":\"v\"} "
        "],\"conditions\":[{\"type\":\"LiveMigratable\","
        "\"status\":\"False\",\"reason\":\"R\",\"message\":\"M\"}]}}");
    struct lg_val root;
    assert_int_equal(lg_json_parse(&objects.arena, source, &root, NULL), LG_E_OK);
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = NULL;
    assert_int_equal(lg_record_new(root, &r, NULL), LG_E_OK);
    const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)r;
    lg_assert_str(vmi->node, "n1");
    lg_assert_str(vmi->phase, "Running");
    assert_int_equal(vmi->live_migratable, LG_CONDITION_FALSE);
    lg_assert_str(vmi->reason, "R");
    lg_assert_str(vmi->message, "M");
    assert_int_equal(vmi->labels.n, 1);
    lg_assert_str(lg_unpack(vmi->packed, &objects.arena),
                  "{\"metadata\":{\"name\":\"vm\",\"namespace\":\"web\",\"labels\":{\"app\":\"x\"},"
                  "\"annotations\":{\"kubevirt.io/a\":\"v1\",\"kubevirt.io/b\":\"q \\\" q\"}},"
                  "\"spec\":{\"volumes\":[{\"name\":\"ci\",\"cloudInitNoCloud\":{}},"
                  "{\"cloudInitConfigDrive\":{},\"name\":\"c d\\\\\"}],"
                  "\"nodeSelector\":{\"a\":\"b  c\"}},"
                  "\"status\":{\"migratedVolumes\":[{\"volumeName\":\"v\"}]}}");
    struct lg_val again = lg_vmi_object(vmi, &objects.arena);
    assert_true(lg_json_is(lg_json_at(again, "metadata.labels.app"), "x"));
    assert_int_equal(lg_json_len(lg_json_at(again, "spec.volumes")), 2);
}

static void a_vmi_with_a_host_disk_keeps_which_claims_it_stands_for(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{"
                  "'name':'vm'},'spec':{'volumes':[{'name':'d','hostDisk':{}}]},"
                  "'status':{'volumeStatus':[{'name':'d'}]}}");
    lg_assert_str(
        lg_unpack(((const struct lg_vmi_record *)r)->packed, &objects.arena),
        "{\"metadata\":{\"name\":\"vm\"},\"spec\":{\"volumes\":[{\"name\":\"d\",\"hostDisk\":"
        "{}}]},\"status\":{\"volumeStatus\":[{\"name\":\"d\"}]}}");
    struct lg_record *s lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{"
                  "'name':'vm'},'spec':{'volumes':[]},'status':{'volumeStatus':[{'name':'d'}]}}");
    lg_assert_str(lg_unpack(((const struct lg_vmi_record *)s)->packed, &objects.arena),
                  "{\"metadata\":{\"name\":\"vm\"},\"spec\":{\"volumes\":[]}}");
}

static void a_condition_that_is_absent_is_told_from_an_unknown_one(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum lg_condition expected;
    } rows[] = {
        {"{}", LG_CONDITION_ABSENT},
        {"{'conditions':[{'type':'Ready','status':'False'}]}", LG_CONDITION_ABSENT},
        {"{'conditions':[{'type':'LiveMigratable','status':'True'}]}", LG_CONDITION_TRUE},
        {"{'conditions':[{'type':'LiveMigratable','status':'Unknown'}]}", LG_CONDITION_UNKNOWN},
        {"{'conditions':[{'type':'LiveMigratable'}]}", LG_CONDITION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
                 "{'name':'vm'},'status':%s}",
                 rows[i].status);
        struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(&objects, text);
        assert_int_equal(((const struct lg_vmi_record *)r)->live_migratable, rows[i].expected);
        lg_assert_str(lg_unpack(((const struct lg_vmi_record *)r)->packed, &objects.arena),
                      "{\"metadata\":{\"name\":\"vm\"}}");
    }
}

static void a_migration_keeps_who_moves_from_where(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration',"
                  "'metadata':{'name':'m','namespace':'web'},'spec':{'vmiName':'vm','sendTo':{}},"
                  "'status':{'phase':'Running','migrationState':{'sourceNode':'n1'}}}");
    const struct lg_migration_record *migration = (const struct lg_migration_record *)r;
    lg_assert_str(migration->vmi, "vm");
    lg_assert_str(migration->phase, "Running");
    lg_assert_str(migration->source_node, "n1");
    assert_true(migration->decentralized);
}

static void a_configuration_keeps_spec_and_a_few_words_of_status(void **state)
{
    (void)state;
    struct lg_record *r lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(
        &objects, "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kubevirt',"
                  "'namespace':'kubevirt'},'spec':{'a':[ 1 ]},'status':{'phase':'Deployed',"
                  "'generations':[],'observedKubeVirtVersion':'v1.9.0'}}");
    lg_assert_str(
        ((const struct lg_config_record *)r)->text,
        "{\"metadata\":{\"name\":\"kubevirt\",\"namespace\":\"kubevirt\"},\"spec\":{\"a\":[1]}"
        ",\"status\":{\"observedKubeVirtVersion\":\"v1.9.0\",\"phase\":\"Deployed\"}}");
}

static void assert_refused(const char *text, enum lg_err_code code, const char *where,
                           const char *message)
{
    struct lg_err err = {0};
    struct lg_record *record = NULL;
    assert_int_equal(lg_record_new(lg_objects_parse(&objects, text), &record, &err), code);
    assert_null(record);
    lg_assert_err(&err, code, where, message);
}

static void a_kept_field_of_the_wrong_type_is_an_error_with_its_path(void **state)
{
    (void)state;
    assert_refused("{'apiVersion':'v1','kind':'Node','metadata':{}}", LG_E_INVALID, "metadata.name",
                   "expected a name, got nothing");
    assert_refused("{'apiVersion':'v1','kind':'Node'}", LG_E_INVALID, "metadata.name",
                   "expected a name, got nothing");
    assert_refused("{'apiVersion':'v1','kind':'Node','metadata':7}", LG_E_INVALID, "metadata",
                   "expected an object, got a number");
    assert_refused("{'apiVersion':'v1','kind':'Node','metadata':{'name':['n']}}", LG_E_INVALID,
                   "metadata.name", "expected a string, got a list");
    assert_refused("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n'},'spec':{'taints':{}}}",
                   LG_E_INVALID, "spec.taints", "expected a list, got an object");
    assert_refused("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n'},'spec':"
                   "{'unschedulable':'yes'}}",
                   LG_E_INVALID, "spec.unschedulable", "expected a boolean, got a string");
    assert_refused("{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'n'},"
                   "'spec':{'accessModes':['ReadWriteMany',1]}}",
                   LG_E_INVALID, "spec.accessModes[1]", "expected a string, got a number");
    assert_refused("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'n'},"
                   "'spec':{'template':{'spec':{'volumes':[{'dataVolume':'x'}]}}}}",
                   LG_E_INVALID, "spec.template.spec.volumes[0].dataVolume",
                   "expected an object, got a string");
    assert_refused("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'n'}}", LG_E_UNSUPPORTED,
                   "kind", "v1 Pod is not kept");
    assert_refused("[]", LG_E_UNSUPPORTED, "kind", "  is not kept");
}

static void every_kind_can_be_kept_and_equals_itself(void **state)
{
    (void)state;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const struct lg_gvk *gvk = lg_gvk((enum lg_kind)kind);
        char text[512];
        snprintf(text, sizeof text, "{'apiVersion':'%s%s%s','kind':'%s','metadata':{'name':'n'}}",
                 gvk->group, gvk->group[0] != '\0' ? "/" : "", gvk->version, gvk->kind);
        struct lg_record *a lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(&objects, text);
        struct lg_record *b lg_cleanup(lg_record_unref_cleanup) = lg_objects_record(&objects, text);
        assert_int_equal(a->kind, kind);
        assert_true(lg_record_equal(a, b));
        assert_true(a->bytes < 512);
        lg_assert_str(lg_record_key(a), gvk->namespaced ? "default/n" : "/n");
    }
}

#define MIGRATION(metadata)                                                                        \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':{'name':"  \
    "'m'," metadata "}}"

static void records_differ_when_a_kept_field_does(void **state)
{
    (void)state;
#define NODE(more) "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n'}," more "}"
#define VM(volumes)                                                                                \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'n'},'spec':"       \
    "{'template':{'spec':{'volumes':[" volumes "]}}}}"
#define PROFILE(sets)                                                                              \
    "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'StorageProfile','metadata':{'name':'c'},"     \
    "'status':{'claimPropertySets':[" sets "]}}"
    static const char *const different[] = {
        NODE("'spec':{}"),
        NODE("'spec':{'unschedulable':true}"),
        NODE("'spec':{'taints':[{'key':'a','effect':'NoSchedule'}]}"),
        NODE("'spec':{'taints':[{'key':'b','effect':'NoSchedule'}]}"),
        NODE("'spec':{'taints':[{'key':'a','effect':'NoExecute'}]}"),
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n','labels':{'a':'b'}}}",
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n','labels':{'a':'c'}}}",
        MIGRATION("'uid':'u'"),
        MIGRATION("'uid':'v'"),
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n','creationTimestamp':"
        "'2026-01-01T00:00:00Z'}}",
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'m'}}",
        VM("{'name':'a','dataVolume':{'name':'x'}}"),
        VM("{'name':'b','dataVolume':{'name':'x'}}"),
        VM("{'name':'a','persistentVolumeClaim':{'claimName':'x'}}"),
        PROFILE("{'accessModes':['ReadWriteMany']}"),
        PROFILE("{'accessModes':['ReadWriteOnce']}"),
        PROFILE("{'accessModes':['ReadWriteOnce'],'volumeMode':'Block'}"),
        PROFILE(""),
    };
    enum { N = sizeof different / sizeof *different };
    struct lg_record *records[N];
    for (int i = 0; i < N; i++)
        records[i] = lg_objects_record(&objects, different[i]);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            if (lg_record_equal(records[i], records[j]) != (i == j))
                fail_msg("%s\n%s", different[i], different[j]);
    for (int i = 0; i < N; i++)
        lg_record_unref(records[i]);
}

static void what_is_not_kept_makes_no_difference(void **state)
{
    (void)state;
    struct lg_record *a lg_cleanup(lg_record_unref_cleanup) =
        lg_objects_record(&objects, NODE("'status':{'conditions':[{'type':'Ready','status':'True',"
                                         "'lastHeartbeatTime':'2026-01-01T00:00:00Z'}]}"));
    struct lg_record *b lg_cleanup(lg_record_unref_cleanup) =
        lg_objects_record(&objects, NODE("'status':{'conditions':[{'type':'Ready','status':'True',"
                                         "'lastHeartbeatTime':'2026-01-01T00:00:10Z'}]}"));
    assert_true(lg_record_equal(a, b));
}

static void references_are_counted(void **state)
{
    (void)state;
    struct lg_record *a = lg_objects_record(&objects, NODE("'spec':{}"));
    assert_ptr_equal(lg_record_ref(a), a);
    assert_int_equal(a->refs, 2);
    lg_record_unref(a);
    assert_int_equal(a->refs, 1);
    lg_record_unref(a);
    lg_record_unref(NULL);
}

static void access_modes_are_read_and_said(void **state)
{
    (void)state;
    struct lg_modes modes = lg_modes_read(
        lg_objects_parse(&objects, "['ReadWriteOnce','readwritemany',3,null,'ReadOnlyMany']"));
    assert_int_equal(modes.n, 2);
    assert_false(lg_modes_shared(&modes));
    lg_assert_str(lg_modes_text(&modes, &objects.arena), "ReadWriteOnce, ReadOnlyMany");
    modes = lg_modes_read(lg_objects_parse(&objects, "['ReadWriteOncePod','ReadWriteMany']"));
    assert_true(lg_modes_shared(&modes));
    modes = lg_modes_read(LG_NONE);
    lg_assert_str(lg_modes_text(&modes, &objects.arena), "without an access mode");
}

static void a_mode_behind_many_repetitions_is_not_lost(void **state)
{
    (void)state;
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "[");
    for (int i = 0; i < 1000; i++)
        lg_buf_puts(&buf, "'ReadWriteOnce',");
    lg_buf_puts(&buf, "'ReadOnlyMany','ReadWriteMany']");
    struct lg_modes modes = lg_modes_read(lg_objects_parse(&objects, buf.p));
    lg_buf_done(&buf);
    assert_int_equal(modes.n, LG_MODES_MAX);
    assert_true(lg_modes_shared(&modes));
    assert_non_null(memchr(modes.items, LG_MODE_ROX, modes.n));
    assert_int_equal(modes.items[0], LG_MODE_RWO);
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(a_node_keeps_labels_taints_and_readiness),
        TEST(a_node_keeps_what_it_can_give),
        TEST(a_guest_keeps_whom_it_keeps_off_and_whether_it_moved),
        TEST(a_node_without_a_ready_condition_is_not_called_unready),
        TEST(a_claim_keeps_what_it_asks_for),
        TEST(an_object_without_a_namespace_stands_in_default),
        TEST(a_claim_rendered_by_profile_is_told_by_label_or_volume_mode),
        TEST(a_data_volume_is_read_from_pvc_or_storage),
        TEST(storage_objects_keep_defaults_sets_and_affinity),
        TEST(a_profile_without_status_counts_as_it_is_written),
        TEST(a_vm_keeps_which_claims_its_volumes_use),
        TEST(a_template_keeps_what_all_its_guests_share),
        TEST(a_vmi_keeps_its_slice_as_text_without_what_is_secret),
        TEST(a_vmi_with_a_host_disk_keeps_which_claims_it_stands_for),
        TEST(a_condition_that_is_absent_is_told_from_an_unknown_one),
        TEST(a_migration_keeps_who_moves_from_where),
        TEST(a_configuration_keeps_spec_and_a_few_words_of_status),
        TEST(a_kept_field_of_the_wrong_type_is_an_error_with_its_path),
        TEST(every_kind_can_be_kept_and_equals_itself),
        TEST(records_differ_when_a_kept_field_does),
        TEST(what_is_not_kept_makes_no_difference),
        TEST(references_are_counted),
        TEST(access_modes_are_read_and_said),
        TEST(a_mode_behind_many_repetitions_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
