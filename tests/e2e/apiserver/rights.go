package main

import (
	"context"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"
)

// rights allows what roles and bindings allow.
type rights struct {
	roles           rbaclisters.RoleLister
	bindings        rbaclisters.RoleBindingLister
	clusterRoles    rbaclisters.ClusterRoleLister
	clusterBindings rbaclisters.ClusterRoleBindingLister
}

func (r *rights) Authorize(_ context.Context, asked authorizer.Attributes) (authorizer.Decision, string, error) {
	if covered, _ := validation.Covers(r.rulesOf(asked.GetUser(), asked.GetNamespace()), []rbacv1.PolicyRule{ruleFor(asked)}); covered {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

// ruleFor is the smallest rule that would allow what is asked.
func ruleFor(asked authorizer.Attributes) rbacv1.PolicyRule {
	if !asked.IsResourceRequest() {
		return rbacv1.PolicyRule{Verbs: []string{asked.GetVerb()}, NonResourceURLs: []string{asked.GetPath()}}
	}
	resource := asked.GetResource()
	if asked.GetSubresource() != "" {
		resource += "/" + asked.GetSubresource()
	}
	rule := rbacv1.PolicyRule{Verbs: []string{asked.GetVerb()}, APIGroups: []string{asked.GetAPIGroup()}, Resources: []string{resource}}
	if asked.GetName() != "" {
		rule.ResourceNames = []string{asked.GetName()}
	}
	return rule
}

func (r *rights) rulesOf(who user.Info, namespace string) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	clusterBindings, _ := r.clusterBindings.List(labels.Everything())
	for _, binding := range clusterBindings {
		if anyIs(binding.Subjects, who, "") {
			rules = append(rules, r.rulesOfRole(binding.RoleRef, "")...)
		}
	}
	if namespace == "" {
		return rules
	}
	bindings, _ := r.bindings.RoleBindings(namespace).List(labels.Everything())
	for _, binding := range bindings {
		if anyIs(binding.Subjects, who, namespace) {
			rules = append(rules, r.rulesOfRole(binding.RoleRef, namespace)...)
		}
	}
	return rules
}

func (r *rights) rulesOfRole(ref rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
	if ref.Kind == "ClusterRole" {
		if role, err := r.clusterRoles.Get(ref.Name); err == nil {
			return role.Rules
		}
	} else if role, err := r.roles.Roles(namespace).Get(ref.Name); err == nil {
		return role.Rules
	}
	return nil
}

// anyIs tells whether one of subjects is who; a service account without a namespace is one of namespace.
func anyIs(subjects []rbacv1.Subject, who user.Info, namespace string) bool {
	for _, subject := range subjects {
		switch subject.Kind {
		case rbacv1.UserKind:
			if subject.Name == who.GetName() {
				return true
			}
		case rbacv1.GroupKind:
			for _, group := range who.GetGroups() {
				if subject.Name == group {
					return true
				}
			}
		case rbacv1.ServiceAccountKind:
			of := namespace
			if subject.Namespace != "" {
				of = subject.Namespace
			}
			if serviceaccount.MatchesUsername(of, subject.Name, who.GetName()) {
				return true
			}
		}
	}
	return false
}
