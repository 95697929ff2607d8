package main

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// addDefaults: what the API server itself writes where nothing is said, as far as somebody here reads it.
func addDefaults(scheme *runtime.Scheme) {
	scheme.AddTypeDefaultingFunc(&admissionregistrationv1.ValidatingWebhookConfiguration{}, func(object any) {
		webhooks := object.(*admissionregistrationv1.ValidatingWebhookConfiguration).Webhooks
		for i := range webhooks {
			one := &webhooks[i]
			defaultWebhook(&one.FailurePolicy, &one.MatchPolicy, &one.TimeoutSeconds, &one.ClientConfig, one.Rules)
			defaultSelectors(&one.NamespaceSelector, &one.ObjectSelector)
		}
	})
	scheme.AddTypeDefaultingFunc(&admissionregistrationv1.MutatingWebhookConfiguration{}, func(object any) {
		webhooks := object.(*admissionregistrationv1.MutatingWebhookConfiguration).Webhooks
		for i := range webhooks {
			one := &webhooks[i]
			defaultWebhook(&one.FailurePolicy, &one.MatchPolicy, &one.TimeoutSeconds, &one.ClientConfig, one.Rules)
			defaultSelectors(&one.NamespaceSelector, &one.ObjectSelector)
			orElse(&one.ReinvocationPolicy, admissionregistrationv1.NeverReinvocationPolicy)
		}
	})
	scheme.AddTypeDefaultingFunc(&corev1.PersistentVolumeClaim{}, func(object any) {
		claim := object.(*corev1.PersistentVolumeClaim)
		orElse(&claim.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
		if claim.Status.Phase == "" {
			claim.Status.Phase = corev1.ClaimPending
		}
	})
	scheme.AddTypeDefaultingFunc(&corev1.PersistentVolume{}, func(object any) {
		orElse(&object.(*corev1.PersistentVolume).Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
	})
	scheme.AddTypeDefaultingFunc(&corev1.Namespace{}, func(object any) {
		namespace := object.(*corev1.Namespace)
		if namespace.Labels == nil {
			namespace.Labels = map[string]string{}
		}
		namespace.Labels[corev1.LabelMetadataName] = namespace.Name
		if namespace.Status.Phase == "" {
			namespace.Status.Phase = corev1.NamespaceActive
		}
	})
}

func orElse[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func defaultWebhook(failure **admissionregistrationv1.FailurePolicyType, match **admissionregistrationv1.MatchPolicyType,
	timeout **int32, client *admissionregistrationv1.WebhookClientConfig, rules []admissionregistrationv1.RuleWithOperations) {
	orElse(failure, admissionregistrationv1.Fail)
	orElse(match, admissionregistrationv1.Equivalent)
	orElse(timeout, 10)
	if client.Service != nil {
		orElse(&client.Service.Port, 443)
	}
	for i := range rules {
		orElse(&rules[i].Scope, admissionregistrationv1.AllScopes)
	}
}

func defaultSelectors(selectors ...**metav1.LabelSelector) {
	for _, selector := range selectors {
		orElse(selector, metav1.LabelSelector{})
	}
}
