package main

import (
	"context"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// strategy keeps objects of a kind as they are sent; the status has a path of its own.
type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	kind
	ofStatus bool
}

func (s strategy) NamespaceScoped() bool          { return s.namespaced }
func (s strategy) AllowCreateOnUpdate() bool      { return false }
func (s strategy) AllowUnconditionalUpdate() bool { return true }
func (s strategy) Canonicalize(runtime.Object)    {}

func (s strategy) Validate(_ context.Context, object runtime.Object) field.ErrorList {
	return validConditions(object)
}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string { return nil }
func (s strategy) ValidateUpdate(_ context.Context, object, _ runtime.Object) field.ErrorList {
	return validConditions(object)
}
func (s strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

func (s strategy) PrepareForCreate(_ context.Context, object runtime.Object) {
	if s.hasStatus() {
		status := fieldOf(object, "Status")
		status.Set(reflect.Zero(status.Type()))
		scheme.Default(object) // a namespace's phase, a claim's
	}
	if fieldOf(object, "Spec").IsValid() {
		metaOf(object).SetGeneration(1)
	}
}

func (s strategy) PrepareForUpdate(_ context.Context, object, old runtime.Object) {
	if s.ofStatus {
		status := reflect.New(fieldOf(object, "Status").Type()).Elem()
		status.Set(fieldOf(object, "Status"))
		managed := metaOf(object).GetManagedFields()
		reflect.ValueOf(object).Elem().Set(reflect.ValueOf(old.DeepCopyObject()).Elem())
		fieldOf(object, "Status").Set(status)
		metaOf(object).SetManagedFields(managed)
		return
	}
	if s.hasStatus() {
		fieldOf(object, "Status").Set(fieldOf(old, "Status"))
	}
	metaOf(object).SetGeneration(metaOf(old).GetGeneration())
	if spec := fieldOf(object, "Spec"); spec.IsValid() && !reflect.DeepEqual(spec.Interface(), fieldOf(old, "Spec").Interface()) {
		metaOf(object).SetGeneration(metaOf(old).GetGeneration() + 1)
	}
}

// GetResetFields: what a writer of the one path does not own of the other.
func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	version := fieldpath.APIVersion(s.version.String())
	switch {
	case s.ofStatus:
		return map[fieldpath.APIVersion]*fieldpath.Set{version: fieldpath.NewSet(fieldpath.MakePathOrDie("spec"))}
	case s.hasStatus():
		return map[fieldpath.APIVersion]*fieldpath.Set{version: fieldpath.NewSet(fieldpath.MakePathOrDie("status"))}
	}
	return nil
}

func metaOf(object runtime.Object) metav1.Object {
	found, err := meta.Accessor(object)
	must(err)
	return found
}

// store is what the library keeps objects in, with the short names that kubectl knows.
type store struct {
	*genericregistry.Store
	kind
}

func (s store) ShortNames() []string    { return s.short }
func (s store) NamespaceScoped() bool   { return s.namespaced }
func (s store) GetSingularName() string { return s.singular().Resource }

// statusOf is the path of a kind's status.
type statusOf struct {
	of *genericregistry.Store
}

func (s statusOf) New() runtime.Object { return s.of.New() }
func (s statusOf) Destroy()            {}
func (s statusOf) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	return s.of.Get(ctx, name, options)
}
func (s statusOf) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc,
	update rest.ValidateObjectUpdateFunc, _ bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return s.of.Update(ctx, name, info, create, update, false, options)
}
func (s statusOf) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return s.of.GetResetFields()
}
func (s statusOf) ConvertToTable(ctx context.Context, object runtime.Object, options runtime.Object) (*metav1.Table, error) {
	return s.of.ConvertToTable(ctx, object, options)
}

// storagesOf makes the storage of a kind, and of its status where it has one.
func storagesOf(k kind, options generic.RESTOptionsGetter) (map[string]rest.Storage, error) {
	keeps := strategy{ObjectTyper: scheme, NameGenerator: names.SimpleNameGenerator, kind: k}
	made := &genericregistry.Store{
		NewFunc:                   func() runtime.Object { return k.example.DeepCopyObject() },
		NewListFunc:               func() runtime.Object { return k.list.DeepCopyObject() },
		DefaultQualifiedResource:  k.groupResource(),
		SingularQualifiedResource: k.singular(),
		CreateStrategy:            keeps,
		UpdateStrategy:            keeps,
		DeleteStrategy:            keeps,
		ResetFieldsStrategy:       keeps,
		TableConvertor:            rest.NewDefaultTableConvertor(k.groupResource()),
	}
	if err := made.CompleteWithOptions(&generic.StoreOptions{RESTOptions: options}); err != nil {
		return nil, err
	}
	storages := map[string]rest.Storage{k.resource: store{made, k}}
	if k.hasStatus() {
		ofStatus := *made
		keeps.ofStatus = true
		ofStatus.UpdateStrategy, ofStatus.ResetFieldsStrategy = keeps, keeps
		storages[k.resource+"/status"] = statusOf{&ofStatus}
	}
	return storages, nil
}
