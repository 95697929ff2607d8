#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/settings.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static const struct lg_settings *read(const char *kubevirt, const char *hyperconverged)
{
    struct lg_record *kv = kubevirt != NULL ? lg_objects_record(&objects, kubevirt) : NULL;
    struct lg_record *hco =
        hyperconverged != NULL ? lg_objects_record(&objects, hyperconverged) : NULL;
    const struct lg_settings *settings = lg_settings_read(
        (const struct lg_config_record *)kv, (const struct lg_config_record *)hco, &objects.arena);
    /* Settings outlive the records they came from. */
    lg_record_unref(kv);
    lg_record_unref(hco);
    return settings;
}

#define KUBEVIRT(rest)                                                                             \
    "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':"        \
    "'openshift-cnv'}" rest "}"
#define HYPERCONVERGED(rest)                                                                       \
    "{'apiVersion':'hco.kubevirt.io/v1beta1','kind':'HyperConverged','metadata':{'name':'hco',"    \
    "'namespace':'openshift-cnv'}" rest "}"

static void without_any_configuration_kubevirts_defaults_stand(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(NULL, NULL);
    assert_false(settings->known);
    assert_int_equal(settings->version, LG_KUBEVIRT_NEWEST);
    assert_false(settings->version_known);
    lg_assert_str(settings->default_interface, "bridge");
    assert_true(settings->permit_bridge_on_pod_network);
    assert_int_equal(settings->n_bindings, 0);
    lg_assert_str(settings->default_architecture, "amd64");
    assert_int_equal(settings->node_selectors.n, 0);
    lg_assert_str(settings->eviction_strategy, "");
    assert_true(settings->highly_available);
    lg_assert_str(settings->ns, "");
}

static void an_empty_kubevirt_has_the_same_defaults(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(KUBEVIRT(""), NULL);
    assert_true(settings->known);
    assert_false(settings->version_known);
    lg_assert_str(settings->default_interface, "bridge");
    assert_true(settings->permit_bridge_on_pod_network);
    lg_assert_str(settings->default_architecture, "amd64");
    lg_assert_str(settings->ns, "openshift-cnv");
}

static void what_kubevirt_says_is_read(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(
        KUBEVIRT(",'spec':{'configuration':{'network':{'defaultNetworkInterface':'masquerade',"
                 "'permitBridgeInterfaceOnPodNetwork':false,'binding':{'l2bridge':{'migration':{}},"
                 "'passt':{'sidecarImage':'x'},'none':null,'managed':{'migration':"
                 "{'method':'link-refresh'}}}},'evictionStrategy':'LiveMigrate',"
                 "'architectureConfiguration':{'defaultArchitecture':'arm64'},"
                 "'developerConfiguration':{'nodeSelectors':{'b':'2','a':'1'}}}},"
                 "'status':{'observedKubeVirtVersion':'v1.6.6','defaultArchitecture':'s390x'}"),
        HYPERCONVERGED(",'spec':{'evictionStrategy':'None'},"
                       "'status':{'infrastructureHighlyAvailable':false}"));
    assert_true(settings->known);
    assert_int_equal(settings->version, 106);
    assert_true(settings->version_known);
    lg_assert_str(settings->default_interface, "masquerade");
    assert_false(settings->permit_bridge_on_pod_network);
    assert_int_equal(settings->n_bindings, 4);
    static const struct lg_binding expected[] = {
        {LG_STR("l2bridge"), true},
        {LG_STR("passt"), false},
        {LG_STR("none"), false},
        {LG_STR("managed"), true},
    };
    for (int i = 0; i < 4; i++) {
        assert_true(lg_str_eq(settings->bindings[i].name, expected[i].name));
        assert_int_equal(settings->bindings[i].migratable, expected[i].migratable);
    }
    lg_assert_str(settings->default_architecture, "arm64");
    assert_int_equal(settings->node_selectors.n, 2);
    lg_assert_str(settings->node_selectors.items[0].key, "a");
    lg_assert_str(settings->node_selectors.items[1].value, "2");
    lg_assert_str(settings->eviction_strategy, "LiveMigrate");
    assert_false(settings->highly_available);
}

static void hyperconverged_alone_says_what_it_would_configure(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(NULL, HYPERCONVERGED(""));
    assert_false(settings->known);
    lg_assert_str(settings->default_interface, "masquerade");
    assert_int_equal(settings->n_bindings, 1);
    lg_assert_str(settings->bindings[0].name, "l2bridge");
    assert_true(settings->bindings[0].migratable);
    lg_assert_str(settings->eviction_strategy, "LiveMigrate");
    lg_assert_str(settings->ns, "openshift-cnv");
    settings = read(NULL, HYPERCONVERGED(",'status':{'infrastructureHighlyAvailable':false}"));
    lg_assert_str(settings->eviction_strategy, "None");
    assert_false(settings->highly_available);
    settings = read(NULL, HYPERCONVERGED(",'spec':{'evictionStrategy':'External'}"));
    lg_assert_str(settings->eviction_strategy, "External");
    settings = read(NULL, "{'apiVersion':'hco.kubevirt.io/v1','kind':'HyperConverged','metadata':"
                          "{'name':'hco'},'spec':{'virtualization':{'evictionStrategy':"
                          "'LiveMigrateIfPossible'}}}");
    lg_assert_str(settings->eviction_strategy, "LiveMigrateIfPossible");
}

static void assert_strs(struct lg_strs strs, size_t n, const char *const *expected)
{
    assert_int_equal(strs.n, n);
    for (size_t i = 0; i < n; i++)
        lg_assert_str(strs.items[i], expected[i]);
}

static const char *machine_of(const struct lg_settings *settings, const char *architecture)
{
    const struct lg_str *type = lg_labels_get(settings->machine_types, lg_str_of(architecture));
    return type != NULL ? lg_arena_str(&objects.arena, *type).p : "none";
}

static void what_devices_gates_and_cpus_hang_on_is_read(void **state)
{
    (void)state;
    const struct lg_settings *settings = read(
        KUBEVIRT(
            ",'spec':{'configuration':{'cpuModel':'Haswell','vmStateStorageClass':'nfs',"
            "'machineType':'pc','architectureConfiguration':{'arm64':{'machineType':'virt-9'}},"
            "'permittedHostDevices':{'mediatedDevices':[{'resourceName':'nvidia.com/T4',"
            "'mdevNameSelector':'T4'},{'mdevNameSelector':'T5'}],'pciHostDevices':"
            "[{'resourceName':'vendor.com/nic'}]},"
            "'developerConfiguration':{'featureGates':['A','B'],'disabledFeatureGates':['C'],"
            "'minimumClusterTSCFrequency':2400000000}}}"),
        NULL);
    lg_assert_str(settings->cpu_model, "Haswell");
    lg_assert_str(settings->state_class, "nfs");
    assert_strs(settings->mediated_devices, 1, (const char *const[]){"nvidia.com/T4"});
    assert_strs(settings->gates, 2, (const char *const[]){"A", "B"});
    assert_strs(settings->disabled_gates, 1, (const char *const[]){"C"});
    assert_true(settings->has_minimum_tsc);
    assert_string_equal(machine_of(settings, "amd64"), "pc");
    assert_string_equal(machine_of(settings, "arm64"), "virt-9");
    assert_string_equal(machine_of(settings, "s390x"), "s390-ccw-virtio");
    assert_string_equal(machine_of(settings, "riscv"), "none");
}

static void without_them_kubevirts_own_stand(void **state)
{
    (void)state;
    static const char *const texts[] = {
        NULL, KUBEVIRT(""),
        KUBEVIRT(",'spec':{'configuration':{'cpuModel':1,'vmStateStorageClass':[],"
                 "'permittedHostDevices':{'mediatedDevices':{'resourceName':'x'}},"
                 "'developerConfiguration':{'featureGates':{'A':'B'},"
                 "'minimumClusterTSCFrequency':'fast'}}}")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct lg_settings *settings = read(texts[i], NULL);
        lg_assert_str(settings->cpu_model, "host-model");
        lg_assert_str(settings->state_class, "");
        assert_strs(settings->mediated_devices, 0, NULL);
        assert_strs(settings->gates, 0, NULL);
        assert_strs(settings->disabled_gates, 0, NULL);
        assert_false(settings->has_minimum_tsc);
        assert_string_equal(machine_of(settings, "amd64"), "q35");
        assert_string_equal(machine_of(settings, "arm64"), "virt");
    }
}

static void hyperconverged_alone_says_which_devices(void **state)
{
    (void)state;
    const struct lg_settings *settings =
        read(NULL, HYPERCONVERGED(
                       ",'spec':{'defaultCPUModel':'Skylake','vmStateStorageClass':'ceph',"
                       "'permittedHostDevices':{'mediatedDevices':[{'resourceName':'a/b'}]}}"));
    lg_assert_str(settings->cpu_model, "Skylake");
    lg_assert_str(settings->state_class, "ceph");
    assert_strs(settings->mediated_devices, 1, (const char *const[]){"a/b"});
    settings = read(NULL, "{'apiVersion':'hco.kubevirt.io/v1','kind':'HyperConverged','metadata':"
                          "{'name':'hco'},'spec':{'virtualization':{'permittedHostDevices':{"
                          "'mediatedDevices':[{'resourceName':'c/d'}]}},'storage':"
                          "{'vmStateStorageClass':'nfs'}}}");
    lg_assert_str(settings->state_class, "nfs");
    assert_strs(settings->mediated_devices, 1, (const char *const[]){"c/d"});
}

static void a_target_version_counts_beside_the_observed_one(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int version, target;
    } rows[] = {
        {"'observedKubeVirtVersion':'v1.6.0'", 106, 106},
        {"'observedKubeVirtVersion':'v1.6.0','targetKubeVirtVersion':'v1.7.2'", 106, 107},
        {"'observedKubeVirtVersion':'v1.6.0','targetKubeVirtVersion':'latest'", 106, 106},
        {"'targetKubeVirtVersion':'v1.7.2'", LG_KUBEVIRT_NEWEST, LG_KUBEVIRT_NEWEST},
        {"'observedKubeVirtVersion':'devel','targetKubeVirtVersion':'v1.2.0'", LG_KUBEVIRT_NEWEST,
         LG_KUBEVIRT_NEWEST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, KUBEVIRT(",'status':{%s}"), rows[i].status);
        const struct lg_settings *settings = read(text, NULL);
        assert_int_equal(settings->version, rows[i].version);
        assert_int_equal(settings->target_version, rows[i].target);
    }
}

static void versions_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int version; /* 0: not known */
    } rows[] = {
        {"v1.9.0", 109},
        {"1.6.6-92.g1234abc.el9", 106},
        {"v1.10.0-alpha.0", 110},
        {"v0.59.2", 0},
        {"v1.2", 102},
        {"v1.2+build", 102},
        {"v2.0.0", 200},
        {"v4.14.0", 100}, /* OpenShift Virtualization */
        {"v4.18.3", 104},
        {"4.22.0-57", 108},
        {"v4.13.9", 0}, /* KubeVirt 0.59 */
        {"v5.0.0", 0},
        {"v0.0.0-master", 0},
        {"", 0},
        {"latest", 0},
        {"v1", 0},
        {"v1.", 0},
        {"v.1", 0},
        {"vv1.2", 0},
        {"1.9x", 0},
        {"sha256:1.9.0", 0},
        {"v1.100.0", 0},
        {"v99999999999.1", 0},
        {"1.99999999999", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, KUBEVIRT(",'status':{'observedKubeVirtVersion':'%s'}"),
                 rows[i].text);
        const struct lg_settings *settings = read(text, NULL);
        int expected = rows[i].version != 0 ? rows[i].version : LG_KUBEVIRT_NEWEST;
        if (settings->version != expected || settings->version_known != (rows[i].version != 0))
            fail_msg("%s: %d", rows[i].text, settings->version);
    }
}

static void wrong_types_fall_back_to_defaults(void **state)
{
    (void)state;
    const struct lg_settings *settings =
        read(KUBEVIRT(",'spec':{'configuration':{'network':{'defaultNetworkInterface':7,"
                      "'binding':[{'migration':{}}],'permitBridgeInterfaceOnPodNetwork':'no'},"
                      "'evictionStrategy':[],'developerConfiguration':7}},"
                      "'status':{'observedKubeVirtVersion':9}"),
             NULL);
    lg_assert_str(settings->default_interface, "bridge");
    assert_int_equal(settings->n_bindings, 0);
    assert_true(settings->permit_bridge_on_pod_network);
    lg_assert_str(settings->eviction_strategy, "");
    assert_false(settings->version_known);
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(without_any_configuration_kubevirts_defaults_stand),
        TEST(an_empty_kubevirt_has_the_same_defaults),
        TEST(what_kubevirt_says_is_read),
        TEST(hyperconverged_alone_says_what_it_would_configure),
        TEST(what_devices_gates_and_cpus_hang_on_is_read),
        TEST(without_them_kubevirts_own_stand),
        TEST(hyperconverged_alone_says_which_devices),
        TEST(a_target_version_counts_beside_the_observed_one),
        TEST(versions_are_read_in_every_spelling),
        TEST(wrong_types_fall_back_to_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
