#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "tests/support/objects.h"

struct world {
    struct lg_objects objects;
    struct lg_inventory *inventory;
    struct lg_vm vm;
    struct lg_val own; /* the object as it was given */
};

static int setup(void **state)
{
    static struct world world;
    world = (struct world){0};
    lg_objects_init(&world.objects);
    world.inventory = lg_inventory_new();
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    lg_inventory_free(w->inventory);
    lg_objects_done(&w->objects);
    return 0;
}

#define API "'apiVersion':'instancetype.kubevirt.io/v1beta1'"
#define TYPE(name, spec)                                                                           \
    "{" API ",'kind':'VirtualMachineClusterInstancetype','metadata':{'name':'" name "'},"          \
    "'spec':{" spec "}}"
#define PREFERENCE(name, spec)                                                                     \
    "{" API ",'kind':'VirtualMachineClusterPreference','metadata':{'name':'" name "'},"            \
    "'spec':{" spec "}}"
#define VM(head, metadata, spec)                                                                   \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'v',"               \
    "'namespace':'shop'},'spec':{" head ",'template':{'metadata':{" metadata "},'spec':{" spec     \
    "}}}}"
#define OF_TYPE       "'instancetype':{'name':'t'}"
#define OF_PREFERENCE "'preference':{'name':'p'}"

static void have(struct world *w, const char *object)
{
    struct lg_record *record = lg_objects_record(&w->objects, object);
    lg_inventory_set_known(w->inventory, record->kind, LG_KNOWN);
    lg_inventory_set(w->inventory, record);
}

static void expand(struct world *w, const char *object)
{
    struct lg_parts_view view = lg_inventory_parts(w->inventory);
    w->own = lg_objects_parse(&w->objects, object);
    assert_int_equal(lg_shape_check(LG_KIND_VM, w->own, NULL), LG_E_OK);
    w->vm = lg_vm_read(LG_KIND_VM, w->own, LG_STR("shop"));
    lg_expand(&w->vm, &view, &w->objects.arena);
}

static void assert_json(struct world *w, struct lg_val got, const char *expected)
{
    if (!lg_json_equal(got, lg_objects_parse(&w->objects, expected)))
        fail_msg("%.*s\nis not\n%s", LG_ARG(lg_json_text(got)), expected);
}

/* Where a value of the expanded spec came from. */
static void assert_origin(struct world *w, struct lg_val at, enum lg_part part, const char *path)
{
    enum lg_part got;
    struct lg_val origin = lg_expansion_origin(&w->vm, at, &got);
    struct lg_str where = lg_json_path(w->own, origin, &w->objects.arena);
    assert_int_equal(got, part);
    assert_string_equal(lg_arena_str(&w->objects.arena, where).p, path);
}

static void a_vm_that_names_nothing_stays_as_it_is(void **state)
{
    struct world *w = *state;
    expand(w, VM("'runStrategy':'Always'", "", "'domain':{}"));
    assert_null(w->vm.expansion);
    assert_ptr_equal(w->vm.spec.doc, w->own.doc);
    assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_UNNAMED);
}

static void what_each_instancetype_brings(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *type, *metadata, *own, *expected;
    } rows[] = {
        {"'nodeSelector':{'a':'b'}", "", "", "{'nodeSelector':{'a':'b'}}"},
        {"'schedulerName':'s'", "", "'domain':{}", "{'domain':{},'schedulerName':'s'}"},
        {"'cpu':{'guest':4,'model':'Haswell','dedicatedCPUPlacement':true,'numa':{},'realtime':{}}",
         "", "'domain':{'cpu':{'features':[]}}",
         "{'domain':{'cpu':{'features':[],'sockets':4,'model':'Haswell','dedicatedCpuPlacement':"
         "true,'numa':{},'realtime':{}}}}"},
        {"'cpu':{'guest':2,'dedicatedCPUPlacement':true}", "",
         "'domain':{'cpu':{'dedicatedCpuPlacement':false,'sockets':0,'model':''}}",
         "{'domain':{'cpu':{'dedicatedCpuPlacement':true,'sockets':2,'model':''}}}"},
        {"'memory':{'guest':'1000','overcommitPercent':10,'hugepages':{'pageSize':'2Mi'}}", "", "",
         "{'domain':{'memory':{'guest':'1000','hugepages':{'pageSize':'2Mi'}},'resources':"
         "{'requests':{'memory':'900'}}}}"},
        {"'gpus':[{'name':'g','deviceName':'d'}],'hostDevices':[{'name':'h','deviceName':'e'}]", "",
         "'domain':{'devices':{'disks':[],'gpus':null}}",
         "{'domain':{'devices':{'disks':[],'gpus':[{'name':'g','deviceName':'d'}],"
         "'hostDevices':[{'name':'h','deviceName':'e'}]}}}"},
        {"'launchSecurity':{'sev':{}}", "", "'domain':null",
         "{'domain':{'launchSecurity':"
         "{'sev':{}}}}"},
        {"'ioThreadsPolicy':'auto'", "", "'domain':{}", "{'domain':{}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char type[1024], vm[1024];
        snprintf(type, sizeof type, TYPE("t", "%s"), rows[i].type);
        snprintf(vm, sizeof vm, VM(OF_TYPE, "%s", "%s"), rows[i].metadata, rows[i].own);
        have(w, type);
        expand(w, vm);
        assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_READ);
        assert_json(w, w->vm.spec, rows[i].expected);
    }
}

static void what_each_preference_brings(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *preference, *own, *expected;
    } rows[] = {
        {"'devices':{'preferredAutoattachPodInterface':false,'preferredTPM':{'persistent':true}}",
         "", "{'domain':{'devices':{'autoattachPodInterface':false,'tpm':{'persistent':true}}}}"},
        {"'devices':{'preferredAutoattachPodInterface':false,'preferredTPM':{'persistent':true}}",
         "'domain':{'devices':{'autoattachPodInterface':true,'tpm':{}}}",
         "{'domain':{'devices':{'autoattachPodInterface':true,'tpm':{}}}}"},
        {"'features':{'preferredHyperv':{'reenlightenment':{},'evmcs':{'enabled':false}}}",
         "'domain':{'features':{'hyperv':{'evmcs':{}}}}",
         "{'domain':{'features':{'hyperv':{'evmcs':{},'reenlightenment':{}}}}}"},
        {"'features':{'preferredHyperv':{'synictimer':{'enabled':true}}}", "'domain':{}",
         "{'domain':{'features':{'hyperv':{'synictimer':{'enabled':true}}}}}"},
        {"'features':{'preferredHyperv':{'reenlightenment':{}}}",
         "'domain':{'features':{'hypervPassthrough':{'enabled':true}}}",
         "{'domain':{'features':{'hypervPassthrough':{'enabled':true}}}}"},
        {"'firmware':{'preferredEfi':{'persistent':true}}", "",
         "{'domain':{'firmware':{'bootloader':{'efi':{'persistent':true}}}}}"},
        {"'firmware':{'preferredEfi':{'persistent':true}}",
         "'domain':{'firmware':{'bootloader':{'bios':{}}}}",
         "{'domain':{'firmware':{'bootloader':{'bios':{}}}}}"},
        {"'firmware':{'preferredEfi':{'persistent':true},'preferredUseBios':true}", "'domain':{}",
         "{'domain':{}}"},
        {"'machine':{'preferredMachineType':'q35'},'preferredArchitecture':'s390x',"
         "'preferredLaunchSecurity':{}",
         "", "{'domain':{'machine':{'type':'q35'},'launchSecurity':{}},'architecture':'s390x'}"},
        {"'machine':{'preferredMachineType':'q35'},'preferredArchitecture':'s390x',"
         "'preferredLaunchSecurity':{'sev':{}}",
         "'architecture':'amd64','domain':{'launchSecurity':{},'machine':{'type':'pc'}}",
         "{'architecture':'amd64','domain':{'launchSecurity':{},'machine':{'type':'pc'}}}"},
        {"'cpu':{'preferredCPUFeatures':[{'name':'a'},{'name':'b','policy':'require'}]}",
         "'domain':{'cpu':{'features':[{'name':'a','policy':'forbid'}]}}",
         "{'domain':{'cpu':{'features':[{'name':'a','policy':'forbid'},"
         "{'name':'b','policy':'require'}]}}}"},
        {"'cpu':{'preferredCPUFeatures':[{'name':'a'}]}", "",
         "{'domain':{'cpu':{'features':[{'name':'a'}]}}}"},
        {"'devices':{'preferredInterfaceMasquerade':{}}",
         "'networks':[{'name':'n','multus':{'networkName':'x'}},{'name':'pod','pod':{}}],"
         "'domain':{'devices':{'interfaces':[{'name':'n'},{'name':'pod','masquerade':null}]}}",
         "{'networks':[{'name':'n','multus':{'networkName':'x'}},{'name':'pod','pod':{}}],"
         "'domain':{'devices':{'interfaces':[{'name':'n'},{'name':'pod','masquerade':{}}]}}}"},
        {"'devices':{'preferredInterfaceMasquerade':{}}",
         "'networks':[{'name':'pod','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'pod',"
         "'bridge':{}}]}}",
         "{'networks':[{'name':'pod','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'pod',"
         "'bridge':{}}]}}}"},
        {"'devices':{'preferredInterfaceMasquerade':{}}", "'domain':{}", "{'domain':{}}"},
        {"'clock':{'preferredTimer':{}}", "'domain':{}", "{'domain':{}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char preference[1024], vm[1024];
        snprintf(preference, sizeof preference, PREFERENCE("p", "%s"), rows[i].preference);
        snprintf(vm, sizeof vm, VM(OF_PREFERENCE, "", "%s"), rows[i].own);
        have(w, preference);
        expand(w, vm);
        assert_int_equal(lg_expansion_part(&w->vm, LG_PART_PREFERENCE)->state, LG_PART_READ);
        assert_json(w, w->vm.spec, rows[i].expected);
    }
}

static void annotations_come_from_both_and_the_vm_goes_first(void **state)
{
    struct world *w = *state;
    have(w, TYPE("t", "'annotations':{'a':'own','b':'type'}"));
    have(w, PREFERENCE("p", "'annotations':{'a':'preference','b':'preference','c':'preference'}"));
    expand(w, VM(OF_TYPE "," OF_PREFERENCE, "'labels':{'x':'y'},'annotations':{'a':'own'}",
                 "'domain':{}"));
    assert_json(w, w->vm.vmi_metadata,
                "{'labels':{'x':'y'},'annotations':{'a':'own','b':'type','c':'preference'}}");
    assert_true(lg_vm_has_annotation(&w->vm, "c"));
}

static void an_instancetype_goes_before_a_preference(void **state)
{
    struct world *w = *state;
    have(w, TYPE("t", "'launchSecurity':{'sev':{}}"));
    have(w, PREFERENCE("p", "'preferredLaunchSecurity':{'tdx':{}}"));
    expand(w, VM(OF_TYPE "," OF_PREFERENCE, "", "'domain':{}"));
    assert_json(w, w->vm.spec, "{'domain':{'launchSecurity':{'sev':{}}}}");
}

static void templates_without_a_class_get_the_preferred_one(void **state)
{
    struct world *w = *state;
    have(w, PREFERENCE("p", "'volumes':{'preferredStorageClassName':'fast'}"));
    expand(w, VM(OF_PREFERENCE
                 ",'dataVolumeTemplates':[{'metadata':{'name':'a'},'spec':{'storage':{}}},"
                 "{'metadata':{'name':'b'},'spec':{'pvc':{'storageClassName':'slow'}}},"
                 "{'metadata':{'name':'c'},'spec':{'pvc':{'accessModes':['ReadWriteOnce']}}}]",
                 "", "'domain':{}"));
    assert_json(w, w->vm.data_volume_templates,
                "[{'metadata':{'name':'a'},'spec':{'storage':{'storageClassName':'fast'}}},"
                "{'metadata':{'name':'b'},'spec':{'pvc':{'storageClassName':'slow'}}},"
                "{'metadata':{'name':'c'},'spec':{'pvc':{'accessModes':['ReadWriteOnce'],"
                "'storageClassName':'fast'}}}]");
    struct lg_val third = lg_json_item(w->vm.data_volume_templates, 2);
    assert_origin(w, lg_json_at(third, "spec.pvc.accessModes"), LG_PART_OWN,
                  "spec.dataVolumeTemplates[2].spec.pvc.accessModes");
    assert_origin(w, lg_json_at(third, "spec.pvc"), LG_PART_OWN,
                  "spec.dataVolumeTemplates[2].spec.pvc");
    assert_origin(w, lg_json_at(third, "spec.pvc.storageClassName"), LG_PART_PREFERENCE,
                  "spec.preference.name");
}

static void every_value_knows_where_it_came_from(void **state)
{
    struct world *w = *state;
    have(w, TYPE("t", "'cpu':{'guest':4,'model':'Haswell'},'gpus':[{'name':'g'}],"
                      "'memory':{'guest':'1Gi','overcommitPercent':50}"));
    expand(w, VM(OF_TYPE, "'annotations':{'a.b/\\u0063':'\\u0041','e':''}",
                 "'volumes':[{'name':'d\\u0031','persistentVolumeClaim':{'claimName':'c'}}],"
                 "'domain':{'cpu':{'features':[{'name':'x'}]},'devices':{'disks':[{'name':''}]}}"));
    assert_origin(w, w->vm.spec, LG_PART_OWN, "spec.template.spec");
    assert_origin(w, lg_json_at(w->vm.spec, "domain"), LG_PART_OWN, "spec.template.spec.domain");
    struct lg_val volume = lg_json_item(lg_json_get(w->vm.spec, "volumes"), 0);
    assert_origin(w, lg_json_at(volume, "persistentVolumeClaim.claimName"), LG_PART_OWN,
                  "spec.template.spec.volumes[0].persistentVolumeClaim.claimName");
    assert_origin(w, lg_json_get(volume, "name"), LG_PART_OWN,
                  "spec.template.spec.volumes[0].name");
    struct lg_val disk = lg_json_item(lg_json_at(w->vm.spec, "domain.devices.disks"), 0);
    assert_origin(w, lg_json_get(disk, "name"), LG_PART_OWN,
                  "spec.template.spec.domain.devices.disks[0].name");
    assert_origin(w, lg_json_at(w->vm.spec, "domain.cpu.model"), LG_PART_INSTANCETYPE,
                  "spec.instancetype.name");
    struct lg_val gpu = lg_json_item(lg_json_at(w->vm.spec, "domain.devices.gpus"), 0);
    assert_origin(w, gpu, LG_PART_INSTANCETYPE, "spec.instancetype.name");
    assert_origin(w, lg_json_at(w->vm.spec, "domain.resources.requests.memory"),
                  LG_PART_INSTANCETYPE, "spec.instancetype.name");
    assert_origin(w, lg_json_at(w->vm.spec, "domain.resources"), LG_PART_INSTANCETYPE,
                  "spec.instancetype.name");
    struct lg_val annotations = lg_json_get(w->vm.vmi_metadata, "annotations");
    assert_origin(w, lg_json_get(annotations, "a.b/c"), LG_PART_OWN,
                  "spec.template.metadata.annotations[\"a.b/c\"]");
    /* What was never part of the template is where it was. */
    assert_origin(w, w->vm.instancetype, LG_PART_OWN, "spec.instancetype");
}

static void what_both_set_is_a_contradiction(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *type, *own, *path;
    } rows[] = {
        {"'nodeSelector':{'a':'b'}", "'nodeSelector':{}", "nodeSelector"},
        {"'schedulerName':'s'", "'schedulerName':'t'", "schedulerName"},
        {"", "'domain':{'cpu':{'cores':2}}", "domain.cpu.cores"},
        {"", "'domain':{'cpu':{'sockets':2}}", "domain.cpu.sockets"},
        {"", "'domain':{'cpu':{'threads':2}}", "domain.cpu.threads"},
        {"", "'domain':{'resources':{'requests':{'cpu':'1'}}}", "domain.resources.requests.cpu"},
        {"", "'domain':{'resources':{'limits':{'memory':'1Gi'}}}",
         "domain.resources.limits.memory"},
        {"", "'domain':{'memory':{'guest':'1Gi'}}", "domain.memory.guest"},
        {"'cpu':{'guest':1,'model':'a'}", "'domain':{'cpu':{'model':'b'}}", "domain.cpu.model"},
        {"'cpu':{'guest':1,'realtime':{}}", "'domain':{'cpu':{'realtime':{}}}",
         "domain.cpu.realtime"},
        {"'gpus':[{'name':'a'}]", "'domain':{'devices':{'gpus':[{'name':'b'}]}}",
         "domain.devices.gpus"},
        {"'hostDevices':[{'name':'a'}]", "'domain':{'devices':{'hostDevices':[{'name':'b'}]}}",
         "domain.devices.hostDevices"},
        {"'launchSecurity':{}", "'domain':{'launchSecurity':{'sev':{}}}", "domain.launchSecurity"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char type[512], vm[512], problem[512];
        snprintf(type, sizeof type, TYPE("t", "%s"), rows[i].type);
        snprintf(vm, sizeof vm, VM(OF_TYPE, "", "%s"), rows[i].own);
        snprintf(problem, sizeof problem,
                 "instancetype \"t\" contradicts the VM, and KubeVirt refuses such a VM: both set "
                 "spec.template.spec.%s",
                 rows[i].path);
        have(w, type);
        expand(w, vm);
        const struct lg_part_info *info = lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE);
        assert_int_equal(info->state, LG_PART_UNUSABLE);
        assert_string_equal(lg_arena_str(&w->objects.arena, info->problem).p, problem);
        /* The VM is judged as it was written. */
        assert_ptr_equal(w->vm.spec.doc, w->own.doc);
    }
    have(w, TYPE("t", "'annotations':{'a':'b'}"));
    expand(w, VM(OF_TYPE, "'annotations':{'a':'c'}", "'domain':{}"));
    assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_UNUSABLE);
}

static void assert_part(struct world *w, enum lg_part part, enum lg_part_state state,
                        enum lg_kind kind, const char *name, const char *problem)
{
    const struct lg_part_info *info = lg_expansion_part(&w->vm, part);
    assert_int_equal(info->state, state);
    if (state == LG_PART_MISSING) {
        assert_int_equal(info->kind, kind);
        assert_true(lg_str_is(info->name, name));
    }
    assert_string_equal(lg_arena_str(&w->objects.arena, info->problem).p, problem);
}

static void the_kind_says_where_to_look(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *matcher;
        enum lg_kind kind;
    } rows[] = {
        {"'name':'t'", LG_KIND_CLUSTER_INSTANCETYPE},
        {"'name':'t','kind':''", LG_KIND_CLUSTER_INSTANCETYPE},
        {"'name':'t','kind':'VirtualMachineClusterInstancetype'", LG_KIND_CLUSTER_INSTANCETYPE},
        {"'name':'t','kind':'virtualmachineclusterinstancetypes'", LG_KIND_CLUSTER_INSTANCETYPE},
        {"'name':'t','kind':'VirtualMachineInstancetype'", LG_KIND_INSTANCETYPE},
        {"'name':'t','kind':'virtualmachineinstancetype'", LG_KIND_INSTANCETYPE},
        {"'name':'t','kind':'VirtualMachineInstancetypes'", LG_KIND_INSTANCETYPE},
        {"'name':'t','kind':'Odd','revisionName':'r'", LG_KIND_REVISION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char vm[512];
        snprintf(vm, sizeof vm, VM("'instancetype':{%s}", "", "'domain':{}"), rows[i].matcher);
        expand(w, vm);
        assert_part(w, LG_PART_INSTANCETYPE, LG_PART_MISSING, rows[i].kind,
                    rows[i].kind == LG_KIND_REVISION ? "r" : "t", "");
    }
    expand(w, VM("'instancetype':{'name':'t','kind':'VirtualMachinePreference'}", "", ""));
    assert_part(w, LG_PART_INSTANCETYPE, LG_PART_UNUSABLE, 0, "",
                "\"VirtualMachinePreference\" is no kind of instancetype");
    expand(w, VM("'preference':{'inferFromVolume':'root'}", "", ""));
    assert_part(w, LG_PART_PREFERENCE, LG_PART_UNUSABLE, 0, "",
                "the VM's preference has no name yet: KubeVirt takes it from a volume when the VM "
                "is created");
}

#define REVISION(name, labels, kind, spec)                                                         \
    "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'" name                \
    "','namespace':'shop','labels':{" labels "}},'data':{" API ",'kind':'" kind                    \
    "','metadata':{},'spec':{" spec "}}}"
#define STATUS(ref)                                                                                \
    "{'metadata':{'name':'v'},'spec':{'instancetype':{'name':'t'},'template':{'spec':{'domain':{}" \
    "}}},'status':{'instancetypeRef':{'controllerRevisionRef':{'name':'" ref "'}}}}"

static void a_controller_revision_goes_before_the_live_object(void **state)
{
    struct world *w = *state;
    have(w, TYPE("t", "'schedulerName':'live'"));
    have(w, REVISION("old", "'instancetype.kubevirt.io/object-name':'t'",
                     "VirtualMachineClusterInstancetype", "'schedulerName':'kept'"));
    have(w, REVISION("other", "'instancetype.kubevirt.io/object-name':'u'",
                     "VirtualMachineInstancetype", "'schedulerName':'kept'"));
    expand(w, VM("'instancetype':{'name':'t','revisionName':'old'}", "", "'domain':{}"));
    assert_json(w, w->vm.spec, "{'domain':{},'schedulerName':'kept'}");
    expand(w, STATUS("old"));
    assert_json(w, w->vm.spec, "{'domain':{},'schedulerName':'kept'}");
    /* The VM names another instancetype by now than when the status was written. */
    expand(w, STATUS("other"));
    assert_json(w, w->vm.spec, "{'domain':{},'schedulerName':'live'}");
    expand(w, STATUS("gone"));
    assert_part(w, LG_PART_INSTANCETYPE, LG_PART_MISSING, LG_KIND_REVISION, "gone", "");
}

static void a_revision_of_something_else_is_said(void **state)
{
    struct world *w = *state;
    have(w, REVISION("r", "", "VirtualMachinePreference", ""));
    expand(w, VM("'instancetype':{'name':'t','revisionName':'r'}", "", ""));
    assert_part(w, LG_PART_INSTANCETYPE, LG_PART_UNUSABLE, 0, "",
                "controller revision \"r\" keeps no instancetype");
    have(w, "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'r',"
            "'namespace':'shop'},'data':{'spec':{'template':[]}}}");
    expand(w, VM("'preference':{'name':'t','revisionName':'r'}", "", ""));
    assert_part(w, LG_PART_PREFERENCE, LG_PART_UNUSABLE, 0, "",
                "controller revision \"r\" keeps no preference");
}

static void wrong_types_are_said(void **state)
{
    struct world *w = *state;
    have(w, TYPE("t", "'cpu':{'guest':'four'}"));
    have(w, PREFERENCE("p", "'devices':[]"));
    expand(w, VM(OF_TYPE "," OF_PREFERENCE, "", "'domain':{}"));
    assert_part(w, LG_PART_INSTANCETYPE, LG_PART_UNUSABLE, 0, "",
                "instancetype \"t\" cannot be read: spec.cpu.guest: expected an integer, got a "
                "string");
    assert_part(w, LG_PART_PREFERENCE, LG_PART_UNUSABLE, 0, "",
                "preference \"p\" cannot be read: spec.devices: expected an object, got a list");
    assert_json(w, w->vm.spec, "{'domain':{}}");
}

static void a_vmi_has_been_expanded_already(void **state)
{
    struct world *w = *state;
    struct lg_parts_view view = lg_inventory_parts(w->inventory);
    w->own = lg_objects_parse(&w->objects, "{'spec':{'instancetype':{'name':'t'}}}");
    w->vm = lg_vm_read(LG_KIND_VMI, w->own, LG_STR("shop"));
    lg_expand(&w->vm, &view, &w->objects.arena);
    assert_null(w->vm.expansion);
}

/* A VM as a review brings it, around `filling` of member managedFields of the template's
 * metadata. */
static void expand_passed_over(struct world *w, struct lg_str filling)
{
    struct lg_parts_view view = lg_inventory_parts(w->inventory);
    struct lg_doc *doc = lg_arena_alloc(&w->objects.arena, sizeof *doc);
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&text, "{\"metadata\":{\"name\":\"v\"},\"spec\":{\"instancetype\":{\"name\":\"t\"},"
                       "\"template\":{\"metadata\":{\"managedFields\":[");
    lg_buf_str(&text, filling);
    lg_buf_puts(&text, "]},\"spec\":{\"domain\":{}}}}}");
    *doc = (struct lg_doc){.text = lg_arena_str(&w->objects.arena, lg_buf_view(&text)),
                           .arena = &w->objects.arena,
                           .without = LG_STR("managedFields")};
    assert_int_equal(lg_json_parse_doc(doc, &w->own, NULL), LG_E_OK);
    w->vm = lg_vm_read(LG_KIND_VM, w->own, LG_STR("shop"));
    lg_expand(&w->vm, &view, &w->objects.arena);
}

/* Nobody walks around a rule with what the reader passed over: neither what is too deep in it nor
 * what is too much. */
static void what_was_passed_over_is_passed_over_again(void **state)
{
    struct world *w = *state;
    struct lg_buf deep lg_cleanup(lg_buf_done) = {0};
    struct lg_buf many lg_cleanup(lg_buf_done) = {0};
    have(w, TYPE("t", "'cpu':{'guest':2},'memory':{'guest':'1Gi'},'nodeSelector':{'zone':'a'}"));
    for (int i = 0; i < LG_JSON_DEPTH_MAX; i++)
        lg_buf_putc(&deep, '[');
    for (int i = 0; i < LG_JSON_DEPTH_MAX; i++)
        lg_buf_putc(&deep, ']');
    for (int i = 0; i < 3 * LG_JSON_NODES_MAX; i++)
        lg_buf_puts(&many, i == 0 ? "1" : ",1");
    expand_passed_over(w, lg_buf_view(&deep));
    assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_READ);
    assert_json(w, lg_json_get(w->vm.spec, "nodeSelector"), "{'zone':'a'}");
    expand_passed_over(w, lg_buf_view(&many));
    assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_READ);
    assert_json(w, lg_json_get(w->vm.spec, "nodeSelector"), "{'zone':'a'}");
}

/* The largest VM that is read at all is read with what it names as well. */
static void a_large_vm_has_room_for_what_it_names(void **state)
{
    struct world *w = *state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    have(w, TYPE("t", "'cpu':{'guest':2},'memory':{'guest':'1Gi'},'nodeSelector':{'zone':'a'}"));
    lg_buf_puts(&text,
                "{'spec':{'instancetype':{'name':'t'},'template':{'spec':{'domain':{},'x':[1");
    for (int i = 0; i < LG_JSON_NODES_MAX - 20; i++)
        lg_buf_puts(&text, ",1");
    lg_buf_puts(&text, "]}}}}");
    expand(w, text.p);
    assert_int_equal(lg_expansion_part(&w->vm, LG_PART_INSTANCETYPE)->state, LG_PART_READ);
    assert_json(w, lg_json_get(w->vm.spec, "nodeSelector"), "{'zone':'a'}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_vm_that_names_nothing_stays_as_it_is),
        TEST(what_each_instancetype_brings),
        TEST(what_each_preference_brings),
        TEST(annotations_come_from_both_and_the_vm_goes_first),
        TEST(an_instancetype_goes_before_a_preference),
        TEST(templates_without_a_class_get_the_preferred_one),
        TEST(every_value_knows_where_it_came_from),
        TEST(what_both_set_is_a_contradiction),
        TEST(the_kind_says_where_to_look),
        TEST(a_controller_revision_goes_before_the_live_object),
        TEST(a_revision_of_something_else_is_said),
        TEST(wrong_types_are_said),
        TEST(a_vmi_has_been_expanded_already),
        TEST(what_was_passed_over_is_passed_over_again),
        TEST(a_large_vm_has_room_for_what_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
