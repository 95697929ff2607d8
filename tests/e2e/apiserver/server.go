package main

import (
	"os"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	apiextensionsoptions "k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	apiextensionsopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	webhookinit "k8s.io/apiserver/pkg/admission/plugin/webhook/initializer"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	unionrequest "k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	uniontoken "k8s.io/apiserver/pkg/authentication/token/union"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	unionauthorizer "k8s.io/apiserver/pkg/authorization/union"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	apiopenapi "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-base/compatibility"
	baseversion "k8s.io/component-base/version"
	"k8s.io/kube-openapi/pkg/common"
	"livegate/apiserver/openapi"
)

func definitions(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := apiextensionsopenapi.GetOpenAPIDefinitions(ref)
	for name, definition := range openapi.GetOpenAPIDefinitions(ref) {
		all[name] = definition
	}
	return all
}

// config is what both servers, that of the built-in kinds and that of custom resources, have in common.
func (o *options) config() (*genericapiserver.RecommendedConfig, *accounts, error) {
	c := genericapiserver.NewRecommendedConfig(codecs)
	c.EffectiveVersion = compatibility.NewEffectiveVersionFromString(baseversion.Get().GitVersion, "", "")
	c.LegacyAPIGroupPrefixes = sets.NewString(genericapiserver.DefaultLegacyAPIPrefix)
	c.AggregatedDiscoveryGroupManager = aggregated.NewResourceManager("apis")
	namer := apiopenapi.NewDefinitionNamer(clientscheme.Scheme, apiextensionsserver.Scheme)
	c.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	c.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)
	if err := o.serving.ApplyToConfig(&c.Config); err != nil {
		return nil, nil, err
	}
	if err := o.etcd.ApplyTo(&c.Config); err != nil {
		return nil, nil, err
	}
	client, err := kubernetes.NewForConfig(c.LoopbackClientConfig)
	if err != nil {
		return nil, nil, err
	}
	c.ClientConfig = c.LoopbackClientConfig
	c.SharedInformerFactory = informers.NewSharedInformerFactory(client, 10*time.Minute)
	who, err := o.authenticate(c, client)
	if err != nil {
		return nil, nil, err
	}
	authorize(c)
	return c, who, o.admit(c, client)
}

func (o *options) authenticate(c *genericapiserver.RecommendedConfig, client kubernetes.Interface) (*accounts, error) {
	ca, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", o.clientCA)
	if err != nil {
		return nil, err
	}
	static, err := tokenfile.NewCSV(o.tokens)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(o.accountKey)
	if err != nil {
		return nil, err
	}
	core := c.SharedInformerFactory.Core().V1()
	who := &accounts{key: key, client: client, accounts: core.ServiceAccounts().Lister(), secrets: core.Secrets().Lister()}
	if err := c.Authentication.ApplyClientCert(ca, c.SecureServing); err != nil {
		return nil, err
	}
	c.Authentication.Authenticator = group.NewAuthenticatedGroupAdder(unionrequest.New(
		x509.NewDynamic(ca.VerifyOptions, x509.CommonNameUserConversion),
		bearertoken.New(uniontoken.NewFailOnError(static, who))))
	genericapiserver.AuthorizeClientBearerToken(c.LoopbackClientConfig, &c.Authentication, &c.Authorization)
	return who, nil
}

func authorize(c *genericapiserver.RecommendedConfig) {
	rbac := c.SharedInformerFactory.Rbac().V1()
	c.Authorization.Authorizer = unionauthorizer.New(
		authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup),
		&rights{rbac.Roles().Lister(), rbac.RoleBindings().Lister(), rbac.ClusterRoles().Lister(), rbac.ClusterRoleBindings().Lister()})
}

func (o *options) admit(c *genericapiserver.RecommendedConfig, client kubernetes.Interface) error {
	anything, err := dynamic.NewForConfig(c.LoopbackClientConfig)
	if err != nil {
		return err
	}
	initializer := webhookinit.NewPluginInitializer(
		webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, c.LoopbackClientConfig, nil), webhook.NewDefaultServiceResolver())
	return o.admission.ApplyTo(&c.Config, c.SharedInformerFactory, client, anything, utilfeature.DefaultFeatureGate,
		c.EffectiveVersion, initializer)
}

// customResources is the server that answers for whatever the other does not know.
func (o *options) customResources(from genericapiserver.Config) (*genericapiserver.GenericAPIServer, error) {
	from.PostStartHooks = map[string]genericapiserver.PostStartHookConfigEntry{}
	from.MergedResourceConfig = apiextensionsserver.DefaultAPIResourceConfigSource()
	etcd := *o.etcd
	etcd.SkipHealthEndpoints = true
	etcd.StorageConfig.Codec = apiextensionsserver.Codecs.LegacyCodec(apiextensionsv1.SchemeGroupVersion)
	if err := etcd.ApplyTo(&from); err != nil {
		return nil, err
	}
	config := apiextensionsserver.Config{
		GenericConfig: &genericapiserver.RecommendedConfig{Config: from},
		ExtraConfig: apiextensionsserver.ExtraConfig{
			CRDRESTOptionsGetter: apiextensionsoptions.NewCRDRESTOptionsGetter(etcd, from.ResourceTransformers, from.StorageObjectCountTracker),
			MasterCount:          1,
			ServiceResolver:      webhook.NewDefaultServiceResolver(),
			AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, from.LoopbackClientConfig, nil),
		},
	}
	made, err := config.Complete().New(genericapiserver.NewEmptyDelegateWithCustomHandler(nil))
	if err != nil {
		return nil, err
	}
	return made.GenericAPIServer, nil
}

func (o *options) server() (*genericapiserver.GenericAPIServer, error) {
	config, who, err := o.config()
	if err != nil {
		return nil, err
	}
	custom, err := o.customResources(config.Config)
	if err != nil {
		return nil, err
	}
	server, err := config.Complete().New("kube-apiserver", custom)
	if err != nil {
		return nil, err
	}
	for _, version := range versions() {
		if err := installVersion(server, config, version, who); err != nil {
			return nil, err
		}
	}
	return server, server.AddPostStartHook("first-objects", firstObjects)
}

func installVersion(server *genericapiserver.GenericAPIServer, config *genericapiserver.RecommendedConfig,
	version schema.GroupVersion, who *accounts) error {
	info := genericapiserver.NewDefaultAPIGroupInfo(version.Group, scheme, parameterCodec, codecs)
	info.PrioritizedVersions = []schema.GroupVersion{version}
	storages := map[string]rest.Storage{}
	for _, k := range kinds {
		if k.version != version {
			continue
		}
		made, err := storagesOf(k, config.RESTOptionsGetter)
		if err != nil {
			return err
		}
		for path, storage := range made {
			storages[path] = storage
		}
		if k.resource == "serviceaccounts" {
			storages["serviceaccounts/token"] = tokens{who, made[k.resource].(store).Store}
		}
	}
	info.VersionedResourcesStorageMap[version.Version] = storages
	if version.Group == "" {
		return server.InstallLegacyAPIGroup(genericapiserver.DefaultLegacyAPIPrefix, &info)
	}
	return server.InstallAPIGroup(&info)
}
