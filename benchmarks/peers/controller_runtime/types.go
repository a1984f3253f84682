package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of BenchTenant; crd.yaml says the same.
var GroupVersion = schema.GroupVersion{Group: "bench.vivero.dev", Version: "v1"}

// BenchTenant is one customer's workspace, as far as the benchmark is concerned.
type BenchTenant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   BenchTenantSpec   `json:"spec"`
	Status BenchTenantStatus `json:"status,omitempty"`
}

// BenchTenantSpec is what was sold.
type BenchTenantSpec struct {
	Slug string `json:"slug"`
	Plan string `json:"plan"`
}

// BenchTenantStatus says how far it is.
type BenchTenantStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// BenchTenantList is what a list returns.
type BenchTenantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`

	Items []BenchTenant `json:"items"`
}

func addToScheme(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(GroupVersion, &BenchTenant{}, &BenchTenantList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
}

// DeepCopy returns a copy that shares nothing that changes.
func (t *BenchTenant) DeepCopy() *BenchTenant {
	out := *t
	t.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = append([]metav1.Condition(nil), t.Status.Conditions...)
	return &out
}

// DeepCopyObject implements runtime.Object.
func (t *BenchTenant) DeepCopyObject() runtime.Object { return t.DeepCopy() }

// DeepCopyObject implements runtime.Object.
func (l *BenchTenantList) DeepCopyObject() runtime.Object {
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]BenchTenant, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return &out
}
