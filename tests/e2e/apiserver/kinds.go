package main

import (
	"reflect"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

// kind is one that is served: its objects are kept as they come, with the defaults of defaults.go.
type kind struct {
	version    schema.GroupVersion
	example    runtime.Object
	list       runtime.Object
	resource   string
	short      []string
	namespaced bool
}

func (k kind) name() string { return reflect.TypeOf(k.example).Elem().Name() }

// hasStatus tells whether the kind has a status, which is written by its own path then.
func (k kind) hasStatus() bool {
	return fieldOf(k.example, "Status").IsValid()
}

func fieldOf(object runtime.Object, name string) reflect.Value {
	return reflect.ValueOf(object).Elem().FieldByName(name)
}

const (
	inNamespace = true
	ofCluster   = false
)

// kinds are the built-in ones that livegate reads, that its manifests make, or that the suite makes; no more.
var kinds = []kind{
	{corev1.SchemeGroupVersion, &corev1.Namespace{}, &corev1.NamespaceList{}, "namespaces", []string{"ns"}, ofCluster},
	{corev1.SchemeGroupVersion, &corev1.Node{}, &corev1.NodeList{}, "nodes", []string{"no"}, ofCluster},
	{corev1.SchemeGroupVersion, &corev1.PersistentVolume{}, &corev1.PersistentVolumeList{}, "persistentvolumes", []string{"pv"}, ofCluster},
	{corev1.SchemeGroupVersion, &corev1.PersistentVolumeClaim{}, &corev1.PersistentVolumeClaimList{}, "persistentvolumeclaims",
		[]string{"pvc"}, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.ConfigMap{}, &corev1.ConfigMapList{}, "configmaps", []string{"cm"}, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.Secret{}, &corev1.SecretList{}, "secrets", nil, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.ServiceAccount{}, &corev1.ServiceAccountList{}, "serviceaccounts", []string{"sa"}, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.Service{}, &corev1.ServiceList{}, "services", []string{"svc"}, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{}, "pods", []string{"po"}, inNamespace},
	{corev1.SchemeGroupVersion, &corev1.Event{}, &corev1.EventList{}, "events", []string{"ev"}, inNamespace},
	{appsv1.SchemeGroupVersion, &appsv1.Deployment{}, &appsv1.DeploymentList{}, "deployments", []string{"deploy"}, inNamespace},
	{batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.JobList{}, "jobs", nil, inNamespace},
	{batchv1.SchemeGroupVersion, &batchv1.CronJob{}, &batchv1.CronJobList{}, "cronjobs", []string{"cj"}, inNamespace},
	{policyv1.SchemeGroupVersion, &policyv1.PodDisruptionBudget{}, &policyv1.PodDisruptionBudgetList{}, "poddisruptionbudgets",
		[]string{"pdb"}, inNamespace},
	{networkingv1.SchemeGroupVersion, &networkingv1.NetworkPolicy{}, &networkingv1.NetworkPolicyList{}, "networkpolicies",
		[]string{"netpol"}, inNamespace},
	{coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{}, &coordinationv1.LeaseList{}, "leases", nil, inNamespace},
	{storagev1.SchemeGroupVersion, &storagev1.StorageClass{}, &storagev1.StorageClassList{}, "storageclasses", []string{"sc"}, ofCluster},
	{rbacv1.SchemeGroupVersion, &rbacv1.Role{}, &rbacv1.RoleList{}, "roles", nil, inNamespace},
	{rbacv1.SchemeGroupVersion, &rbacv1.RoleBinding{}, &rbacv1.RoleBindingList{}, "rolebindings", nil, inNamespace},
	{rbacv1.SchemeGroupVersion, &rbacv1.ClusterRole{}, &rbacv1.ClusterRoleList{}, "clusterroles", nil, ofCluster},
	{rbacv1.SchemeGroupVersion, &rbacv1.ClusterRoleBinding{}, &rbacv1.ClusterRoleBindingList{}, "clusterrolebindings", nil, ofCluster},
	{flowcontrolv1.SchemeGroupVersion, &flowcontrolv1.FlowSchema{}, &flowcontrolv1.FlowSchemaList{}, "flowschemas", nil, ofCluster},
	{flowcontrolv1.SchemeGroupVersion, &flowcontrolv1.PriorityLevelConfiguration{}, &flowcontrolv1.PriorityLevelConfigurationList{},
		"prioritylevelconfigurations", nil, ofCluster},
	{admissionregistrationv1.SchemeGroupVersion, &admissionregistrationv1.ValidatingWebhookConfiguration{},
		&admissionregistrationv1.ValidatingWebhookConfigurationList{}, "validatingwebhookconfigurations", nil, ofCluster},
	{admissionregistrationv1.SchemeGroupVersion, &admissionregistrationv1.MutatingWebhookConfiguration{},
		&admissionregistrationv1.MutatingWebhookConfigurationList{}, "mutatingwebhookconfigurations", nil, ofCluster},
}

var (
	scheme         = runtime.NewScheme()
	codecs         = serializer.NewCodecFactory(scheme)
	parameterCodec = runtime.NewParameterCodec(scheme)
)

// The library converts between a kind's versions and an internal form; here one Go type is both, and nothing is converted.
func init() {
	must(clientscheme.AddToScheme(scheme))
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	for _, k := range kinds {
		scheme.AddKnownTypes(schema.GroupVersion{Group: k.version.Group, Version: runtime.APIVersionInternal}, k.example, k.list)
	}
	scheme.AddKnownTypes(schema.GroupVersion{Group: authenticationv1.GroupName, Version: runtime.APIVersionInternal},
		&authenticationv1.TokenRequest{})
	addDefaults(scheme)
}

// versions are those of kinds, each once, in their order.
func versions() []schema.GroupVersion {
	var found []schema.GroupVersion
	for _, k := range kinds {
		if len(found) == 0 || found[len(found)-1] != k.version {
			found = append(found, k.version)
		}
	}
	return found
}

func (k kind) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.version.Group, Resource: k.resource}
}

func (k kind) singular() schema.GroupResource {
	return schema.GroupResource{Group: k.version.Group, Resource: strings.ToLower(k.name())}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
