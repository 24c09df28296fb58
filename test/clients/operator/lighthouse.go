package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "operator.example.com", Version: "v1"}

// Lighthouse is the operator's own kind; crd.yaml has its schema.
type Lighthouse struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              LighthouseSpec   `json:"spec"`
	Status            LighthouseStatus `json:"status,omitempty"`
}

// LighthouseSpec says what is to shine.
type LighthouseSpec struct {
	Image   string `json:"image"`
	Lamps   int32  `json:"lamps"`
	Sockets int32  `json:"sockets,omitempty"`
	Port    int32  `json:"port,omitempty"`
	// Settings names the ConfigMap that the lamps read.
	Settings string `json:"settings,omitempty"`
}

// LighthouseStatus says what shines.
type LighthouseStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Lit                int32              `json:"lit"`
	Selector           string             `json:"selector,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// LighthouseList is what a list answers.
type LighthouseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Lighthouse `json:"items"`
}

// DeepCopy returns a copy that shares nothing with the original.
func (l *Lighthouse) DeepCopy() *Lighthouse {
	copied := &Lighthouse{TypeMeta: l.TypeMeta, ObjectMeta: *l.ObjectMeta.DeepCopy(), Spec: l.Spec, Status: l.Status}
	copied.Status.Conditions = nil
	for _, condition := range l.Status.Conditions {
		copied.Status.Conditions = append(copied.Status.Conditions, *condition.DeepCopy())
	}
	return copied
}

// DeepCopyObject implements runtime.Object.
func (l *Lighthouse) DeepCopyObject() runtime.Object { return l.DeepCopy() }

// DeepCopyObject implements runtime.Object.
func (l *LighthouseList) DeepCopyObject() runtime.Object {
	copied := &LighthouseList{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy()}
	for index := range l.Items {
		copied.Items = append(copied.Items, *l.Items[index].DeepCopy())
	}
	return copied
}

func addToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(groupVersion, &Lighthouse{}, &LighthouseList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	return nil
}
