// An API server for the end-to-end suite, made of Kubernetes' own server libraries: requests, admission webhooks with their
// match conditions, custom resources, patches, server-side apply, watches and storage are theirs, of the version that the
// libraries have. What kube-apiserver adds to them is in no package of Debian's any more; the little of it that the suite needs
// (built-in kinds, service accounts' tokens, RBAC, the first roles) is written here, and takes what is sent as it is.
//
// It takes the options that tests/e2e/control-plane gives kube-apiserver.
package main

import (
	"os"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/klog/v2"
)

type options struct {
	etcd       *genericoptions.EtcdOptions
	serving    *genericoptions.SecureServingOptionsWithLoopback
	admission  *genericoptions.AdmissionOptions
	clientCA   string
	tokens     string
	accountKey string
}

// storedAs is the form in which the built-in kinds lie in etcd: kube-apiserver's.
func storedAs() runtime.Codec {
	protobuf, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	return codecs.CodecForVersions(protobuf.Serializer, codecs.UniversalDeserializer(), schema.GroupVersions(versions()),
		runtime.InternalGroupVersioner)
}

func parse(arguments []string) (*options, error) {
	o := &options{
		etcd:      genericoptions.NewEtcdOptions(storagebackend.NewDefaultConfig("/registry", storedAs())),
		serving:   genericoptions.NewSecureServingOptions().WithLoopback(),
		admission: genericoptions.NewAdmissionOptions(),
	}
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	o.etcd.AddFlags(flags)
	o.serving.AddFlags(flags)
	flags.StringVar(&o.clientCA, "client-ca-file", "", "whose client certificates are good")
	flags.StringVar(&o.tokens, "token-auth-file", "", "static tokens")
	flags.StringVar(&o.accountKey, "service-account-signing-key-file", "", "what signs the tokens of service accounts")
	for _, name := range []string{"advertise-address", "endpoint-reconciler-type", "authorization-mode", "service-account-issuer",
		"service-account-key-file", "service-cluster-ip-range", "disable-admission-plugins"} {
		flags.String(name, "", "taken, and of no effect: there is but one way here")
	}
	// Their policies are kinds that are not served.
	o.admission.DisablePlugins = []string{"ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"}
	return o, flags.Parse(arguments)
}

func run() error {
	o, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	server, err := o.server()
	if err != nil {
		return err
	}
	return server.PrepareRun().RunWithContext(genericapiserver.SetupSignalContext())
}

func main() {
	if err := run(); err != nil {
		klog.ErrorS(err, "the API server ended")
		os.Exit(1)
	}
}
