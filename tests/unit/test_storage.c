#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/storage.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

/* A cluster with the classes "nfs" (profile: RWX Filesystem, RWO Block), "bare" (a profile without
 * sets), "lost" (no profile) and "odd" (a first set without modes). */
struct cluster {
    enum lg_lookup otherwise;  /* for what is not here */
    const char *normal, *virt; /* names of the defaults, or NULL */
};

static struct lg_storage_class classes[] = {
    {.r = {.name = LG_STR("nfs")}},
    {.r = {.name = LG_STR("bare")}},
    {.r = {.name = LG_STR("lost")}},
    {.r = {.name = LG_STR("odd")}},
};
static struct lg_property_set nfs_sets[] = {
    {{1, {LG_MODE_RWX}}, LG_VOLUME_MODE_FILESYSTEM},
    {{2, {LG_MODE_RWO, LG_MODE_RWX}}, LG_VOLUME_MODE_BLOCK},
    {{1, {LG_MODE_RWOP}}, LG_VOLUME_MODE_BLOCK},
};
static struct lg_property_set odd_sets[] = {
    {{0, {0}}, LG_VOLUME_MODE_BLOCK},
    {{1, {LG_MODE_RWX}}, LG_VOLUME_MODE_BLOCK},
    {{1, {LG_MODE_ROX}}, LG_VOLUME_MODE_UNSET},
};
static struct lg_storage_profile profiles[] = {
    {.r = {.name = LG_STR("nfs")}, .sets = nfs_sets, .n_sets = 3},
    {.r = {.name = LG_STR("bare")}},
    {.r = {.name = LG_STR("odd")}, .sets = odd_sets, .n_sets = 3},
};

static enum lg_lookup class_by_name(void *arg, struct lg_str name,
                                    const struct lg_storage_class **ret)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (lg_str_eq(classes[i].r.name, name)) {
            *ret = &classes[i];
            return LG_FOUND;
        }
    return ((struct cluster *)arg)->otherwise;
}

static enum lg_lookup class_default(void *arg, bool virt, const struct lg_storage_class **ret)
{
    const struct cluster *cluster = arg;
    const char *name = virt && cluster->virt != NULL ? cluster->virt : cluster->normal;
    return name != NULL ? class_by_name(arg, lg_str_of(name), ret) : cluster->otherwise;
}

static enum lg_lookup profile_by_name(void *arg, struct lg_str name,
                                      const struct lg_storage_profile **ret)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (lg_str_eq(profiles[i].r.name, name)) {
            *ret = &profiles[i];
            return LG_FOUND;
        }
    return ((struct cluster *)arg)->otherwise;
}

static struct lg_rendered render(const struct cluster *cluster, const char *data_volume_spec)
{
    struct lg_storage_view view = {(void *)cluster, class_by_name, class_default, profile_by_name};
    struct lg_claim_spec spec =
        lg_claim_spec_of_data_volume(lg_objects_parse(&objects, data_volume_spec));
    struct lg_rendered rendered;
    lg_storage_render(&spec, &view, &rendered);
    return rendered;
}

static const struct cluster full = {LG_ABSENT, "nfs", NULL};
static const struct cluster no_default = {LG_ABSENT, NULL, NULL};
static const struct cluster unknown = {LG_UNKNOWN, NULL, NULL};

static void assert_resolved(const struct cluster *cluster, const char *spec, const char *modes,
                            enum lg_volume_mode volume_mode, const char *class, bool from_profile)
{
    struct lg_rendered got = render(cluster, spec);
    if (!got.resolved)
        fail_msg("%s: %s", spec, got.why);
    lg_assert_str(lg_modes_text(&got.modes, &objects.arena), modes);
    assert_int_equal(got.volume_mode, volume_mode);
    assert_int_equal(got.has_class, class != NULL);
    lg_assert_str(got.class_name, class != NULL ? class : "");
    assert_int_equal(got.from_profile, from_profile);
}

static void assert_unresolved(const struct cluster *cluster, const char *spec, enum lg_kind missing,
                              const char *name, const char *why)
{
    struct lg_rendered got = render(cluster, spec);
    if (got.resolved)
        fail_msg("%s is resolved", spec);
    assert_int_equal(got.missing, missing);
    lg_assert_str(got.missing_name, name);
    assert_string_equal(got.why, why);
}

static void spec_pvc_is_taken_as_it_stands(void **state)
{
    (void)state;
    assert_resolved(&full, "{'pvc':{'accessModes':['ReadWriteOnce']}}", "ReadWriteOnce",
                    LG_VOLUME_MODE_UNSET, NULL, false);
    assert_resolved(&full,
                    "{'pvc':{'accessModes':['ReadWriteMany'],'storageClassName':'gone',"
                    "'volumeMode':'Block'}}",
                    "ReadWriteMany", LG_VOLUME_MODE_BLOCK, "gone", false);
    assert_unresolved(&full, "{'pvc':{}}", LG_KIND_OTHER, "", "no access mode is given");
    assert_unresolved(&full, "{}", LG_KIND_OTHER, "", "no access mode is given");
}

static void the_first_set_serves_a_spec_that_says_nothing(void **state)
{
    (void)state;
    assert_resolved(&full, "{'storage':{}}", "ReadWriteMany", LG_VOLUME_MODE_FILESYSTEM, "nfs",
                    true);
    assert_unresolved(&full, "{'storage':{'storageClassName':'odd'}}", LG_KIND_OTHER, "odd",
                      "the storage profile offers no access mode");
    assert_unresolved(&full, "{'storage':{'storageClassName':'bare'}}", LG_KIND_OTHER, "bare",
                      "the storage profile offers no access mode");
}

static void a_volume_mode_chooses_the_first_set_that_has_it(void **state)
{
    (void)state;
    assert_resolved(&full, "{'storage':{'volumeMode':'Block'}}", "ReadWriteOnce, ReadWriteMany",
                    LG_VOLUME_MODE_BLOCK, "nfs", true);
    assert_resolved(&full, "{'storage':{'volumeMode':'Block','storageClassName':'odd'}}",
                    "ReadWriteMany", LG_VOLUME_MODE_BLOCK, "odd", true);
    assert_unresolved(&full, "{'storage':{'volumeMode':'Filesystem','storageClassName':'odd'}}",
                      LG_KIND_OTHER, "odd",
                      "the storage profile offers no access mode for this volume mode");
}

static void access_modes_choose_the_volume_mode(void **state)
{
    (void)state;
    assert_resolved(&full, "{'storage':{'accessModes':['ReadWriteOncePod','ReadWriteOnce']}}",
                    "ReadWriteOncePod, ReadWriteOnce", LG_VOLUME_MODE_BLOCK, "nfs", false);
    assert_resolved(&full, "{'storage':{'accessModes':['ReadOnlyMany']}}", "ReadOnlyMany",
                    LG_VOLUME_MODE_UNSET, "nfs", false);
    assert_resolved(&full, "{'storage':{'accessModes':['ReadOnlyMany'],'storageClassName':'odd'}}",
                    "ReadOnlyMany", LG_VOLUME_MODE_UNSET, "odd", false);
}

static void what_is_given_in_full_asks_no_profile(void **state)
{
    (void)state;
    assert_resolved(&full,
                    "{'storage':{'accessModes':['ReadOnlyMany'],'volumeMode':'Block',"
                    "'storageClassName':'lost'}}",
                    "ReadOnlyMany", LG_VOLUME_MODE_BLOCK, "lost", false);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_unresolved(&full, "{'storage':{'storageClassName':'gone'}}", LG_KIND_STORAGE_CLASS,
                      "gone", "the storage class does not exist");
    assert_unresolved(&full, "{'storage':{'storageClassName':'','accessModes':['ReadWriteMany']}}",
                      LG_KIND_STORAGE_CLASS, "", "the storage class does not exist");
    assert_unresolved(&full, "{'storage':{'storageClassName':'lost'}}", LG_KIND_STORAGE_PROFILE,
                      "lost", "the storage profile does not exist");
    assert_unresolved(&full,
                      "{'storage':{'storageClassName':'lost','accessModes':['ReadWriteMany']}}",
                      LG_KIND_STORAGE_PROFILE, "lost", "the storage profile does not exist");
    assert_unresolved(&no_default, "{'storage':{}}", LG_KIND_STORAGE_CLASS, "",
                      "no access mode is given and no storage class is the default");
}

static void without_a_default_class_given_modes_stand(void **state)
{
    (void)state;
    assert_resolved(&no_default, "{'storage':{'accessModes':['ReadWriteOnce']}}", "ReadWriteOnce",
                    LG_VOLUME_MODE_UNSET, NULL, false);
}

static void what_is_unknown_hides_no_mode_that_is_given(void **state)
{
    (void)state;
    assert_resolved(&unknown, "{'storage':{'accessModes':['ReadWriteOnce']}}", "ReadWriteOnce",
                    LG_VOLUME_MODE_UNSET, NULL, false);
    assert_resolved(&unknown,
                    "{'storage':{'accessModes':['ReadWriteOnce'],'storageClassName':'any'}}",
                    "ReadWriteOnce", LG_VOLUME_MODE_UNSET, "any", false);
    assert_unresolved(&unknown, "{'storage':{}}", LG_KIND_STORAGE_CLASS, "",
                      "no access mode is given and the default storage class is not known");
    assert_unresolved(&unknown, "{'storage':{'storageClassName':'any'}}", LG_KIND_STORAGE_PROFILE,
                      "any", "no access mode is given and the storage profile is not known");
    /* The profile of a class that is not known may be. */
    assert_resolved(&unknown, "{'storage':{'storageClassName':'nfs'}}", "ReadWriteMany",
                    LG_VOLUME_MODE_FILESYSTEM, "nfs", true);
}

static void kubevirts_default_goes_first_but_not_for_archives(void **state)
{
    (void)state;
    const struct cluster both = {LG_ABSENT, "nfs", "odd"};
    assert_unresolved(&both, "{'storage':{}}", LG_KIND_OTHER, "odd",
                      "the storage profile offers no access mode");
    assert_resolved(&both, "{'storage':{},'contentType':'archive'}", "ReadWriteMany",
                    LG_VOLUME_MODE_FILESYSTEM, "nfs", true);
    assert_unresolved(&both, "{'storage':{'volumeMode':'Block'},'contentType':'archive'}",
                      LG_KIND_OTHER, "", "an archive cannot be written to a block volume");
}

static void a_labelled_claim_is_rendered_like_storage(void **state)
{
    (void)state;
    struct lg_storage_view view = {(void *)&full, class_by_name, class_default, profile_by_name};
    struct lg_claim_spec spec = lg_claim_spec_of_claim(lg_objects_parse(
        &objects, "{'metadata':{'labels':{'cdi.kubevirt.io/applyStorageProfile':'true'}},"
                  "'spec':{'volumeMode':'FromStorageProfile'}}"));
    struct lg_rendered got;
    lg_storage_render(&spec, &view, &got);
    assert_true(got.resolved);
    assert_true(lg_modes_shared(&got.modes));
    assert_true(got.from_profile);
    spec = lg_claim_spec_of_claim(lg_objects_parse(&objects, "{'spec':{}}"));
    lg_storage_render(&spec, &view, &got);
    assert_false(got.resolved);
}

/* As the inventory goes through its classes; which of the two defaults goes before the other is its
 * own (test_inventory.c). */
static const struct lg_storage_class *newest(const struct lg_storage_class *const *among, size_t n,
                                             bool virt)
{
    const struct lg_storage_class *best = NULL;
    for (size_t i = 0; i < n; i++)
        best = lg_storage_newer_default(best, among[i], virt);
    return best;
}

static void the_newest_default_wins_then_the_name(void **state)
{
    (void)state;
    struct lg_storage_class a = {.r = {.name = LG_STR("a"), .created_unix_s = 10},
                                 .is_default = true};
    struct lg_storage_class b = {.r = {.name = LG_STR("b"), .created_unix_s = 20},
                                 .is_default = true};
    struct lg_storage_class c = {.r = {.name = LG_STR("c"), .created_unix_s = 20},
                                 .is_default = true};
    struct lg_storage_class old_virt = {.r = {.name = LG_STR("d"), .created_unix_s = 1},
                                        .is_virt_default = true};
    struct lg_storage_class none = {.r = {.name = LG_STR("e"), .created_unix_s = 99}};
    const struct lg_storage_class *all[] = {&a, &none, &c, &b, &old_virt};
    assert_ptr_equal(newest(all, 5, false), &b);
    assert_ptr_equal(newest(all, 5, true), &old_virt);
    assert_null(newest(all, 4, true));
    assert_null(newest(all + 1, 1, true));
    assert_null(newest(NULL, 0, false));
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(spec_pvc_is_taken_as_it_stands),
        TEST(the_first_set_serves_a_spec_that_says_nothing),
        TEST(a_volume_mode_chooses_the_first_set_that_has_it),
        TEST(access_modes_choose_the_volume_mode),
        TEST(what_is_given_in_full_asks_no_profile),
        TEST(what_is_missing_is_named),
        TEST(without_a_default_class_given_modes_stand),
        TEST(what_is_unknown_hides_no_mode_that_is_given),
        TEST(kubevirts_default_goes_first_but_not_for_archives),
        TEST(a_labelled_claim_is_rendered_like_storage),
        TEST(the_newest_default_wins_then_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
