package main

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
)

var compiler = plugincel.NewCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))

// validConditions refuses a webhook whose match conditions are no expressions that say yes or no.
func validConditions(object runtime.Object) field.ErrorList {
	var found field.ErrorList
	at := field.NewPath("webhooks")
	switch of := object.(type) {
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i, one := range of.Webhooks {
			found = append(found, wrongConditions(one.MatchConditions, at.Index(i))...)
		}
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i, one := range of.Webhooks {
			found = append(found, wrongConditions(one.MatchConditions, at.Index(i))...)
		}
	}
	return found
}

func wrongConditions(conditions []admissionregistrationv1.MatchCondition, at *field.Path) field.ErrorList {
	var found field.ErrorList
	for i, one := range conditions {
		expression := &matchconditions.MatchCondition{Name: one.Name, Expression: one.Expression}
		compiled := compiler.CompileCELExpression(expression, plugincel.OptionalVariableDeclarations{HasAuthorizer: true},
			environment.NewExpressions)
		if compiled.Error != nil {
			found = append(found, field.Invalid(at.Child("matchConditions").Index(i).Child("expression"), one.Expression, compiled.Error.Detail))
		}
	}
	return found
}
