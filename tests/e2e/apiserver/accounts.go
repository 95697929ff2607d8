package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// accounts gives tokens to service accounts, and knows them again: a JWT that is good for as long as its account, and the
// secret that it was bound to, are there.
type accounts struct {
	key      []byte
	client   kubernetes.Interface
	accounts corelisters.ServiceAccountLister
	secrets  corelisters.SecretLister
}

// account and secret: what the watch does not know (yet) is asked for.
func (a *accounts) account(ctx context.Context, namespace, name string) (*corev1.ServiceAccount, error) {
	if found, err := a.accounts.ServiceAccounts(namespace).Get(name); err == nil {
		return found, nil
	}
	return a.client.CoreV1().ServiceAccounts(namespace).Get(ctx, name, metav1.GetOptions{})
}

func (a *accounts) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	if found, err := a.secrets.Secrets(namespace).Get(name); err == nil {
		return found, nil
	}
	return a.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

type claims struct {
	Expires   int64  `json:"exp"`
	ID        string `json:"jti"`
	Namespace string `json:"namespace"`
	Account   string `json:"account"`
	UID       string `json:"uid"`
	Secret    string `json:"secret,omitempty"`
}

var encoding = base64.RawURLEncoding

func (a *accounts) sign(text string) string {
	hash := hmac.New(sha256.New, a.key)
	hash.Write([]byte(text))
	return encoding.EncodeToString(hash.Sum(nil))
}

func (a *accounts) issue(c claims) string {
	body, err := json.Marshal(c)
	must(err)
	text := encoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encoding.EncodeToString(body)
	return text + "." + a.sign(text)
}

func (a *accounts) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 || !hmac.Equal([]byte(a.sign(token[:at])), []byte(token[at+1:])) {
		return nil, false, nil
	}
	_, encoded, _ := strings.Cut(token[:at], ".")
	body, err := encoding.DecodeString(encoded)
	var c claims
	if err != nil || json.Unmarshal(body, &c) != nil || time.Now().Unix() >= c.Expires {
		return nil, false, errors.New("the token has expired")
	}
	account, err := a.account(ctx, c.Namespace, c.Account)
	if err != nil || string(account.UID) != c.UID {
		return nil, false, errors.New("the token's service account is gone")
	}
	if c.Secret != "" {
		if _, err := a.secret(ctx, c.Namespace, c.Secret); err != nil {
			return nil, false, errors.New("the token has been invalidated")
		}
	}
	info := serviceaccount.ServiceAccountInfo{Name: c.Account, Namespace: c.Namespace, UID: c.UID, CredentialID: "JTI=" + c.ID}
	return &authenticator.Response{User: info.UserInfo()}, true, nil
}

// tokens is the path serviceaccounts/token.
type tokens struct {
	*accounts
	of rest.Getter
}

func (t tokens) New() runtime.Object { return &authenticationv1.TokenRequest{} }
func (t tokens) Destroy()            {}
func (t tokens) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")
}

func (t tokens) Create(ctx context.Context, name string, object runtime.Object, validate rest.ValidateObjectFunc,
	_ *metav1.CreateOptions) (runtime.Object, error) {
	request := object.(*authenticationv1.TokenRequest)
	found, err := t.of.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if err := validate(ctx, object); err != nil {
		return nil, err
	}
	c := claims{ID: string(uuid.NewUUID()), Namespace: genericapirequest.NamespaceValue(ctx), Account: name, UID: string(metaOf(found).GetUID())}
	if bound := request.Spec.BoundObjectRef; bound != nil {
		if bound.Kind != "Secret" {
			return nil, apierrors.NewBadRequest("tokens are bound to secrets only")
		}
		c.Secret = bound.Name
	}
	seconds := int64(3600)
	if request.Spec.ExpirationSeconds != nil {
		seconds = *request.Spec.ExpirationSeconds
	}
	expires := time.Now().Add(time.Duration(seconds) * time.Second)
	c.Expires = expires.Unix()
	answer := request.DeepCopy()
	answer.Status = authenticationv1.TokenRequestStatus{Token: t.issue(c), ExpirationTimestamp: metav1.NewTime(expires)}
	return answer, nil
}
