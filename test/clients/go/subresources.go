package main

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/utils/ptr"
)

func subresourceChecks() []check {
	return []check{
		{"subresources: the scale client, by discovery", scalesByDiscovery},
		{"subresources: eviction", evicts},
		{"subresources: who am I and may I", reviewsItself},
		{"subresources: status is apart from spec", keepsStatusApart},
	}
}

// scalesByDiscovery changes the size of whatever has one, as the HorizontalPodAutoscaler does: it knows no kinds.
func scalesByDiscovery(ctx context.Context, w *world) error {
	cached := memory.NewMemCacheClient(w.client.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	resolver := scale.NewDiscoveryScaleKindResolver(cached)
	client, err := scale.NewForConfig(w.config, mapper, dynamic.LegacyAPIPathResolverFunc, resolver)
	if err != nil {
		return err
	}
	name, labels := "by-discovery", map[string]string{"app": "by-discovery"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()}
	objectMeta := metav1.ObjectMeta{Name: name}
	replicaSets, statefulSets := w.client.AppsV1().ReplicaSets(w.namespace), w.client.AppsV1().StatefulSets(w.namespace)
	selector := &metav1.LabelSelector{MatchLabels: labels}
	if _, err := replicaSets.Create(ctx, &appsv1.ReplicaSet{ObjectMeta: objectMeta, Spec: appsv1.ReplicaSetSpec{
		Replicas: ptr.To[int32](0), Selector: selector, Template: template,
	}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := statefulSets.Create(ctx, &appsv1.StatefulSet{ObjectMeta: objectMeta, Spec: appsv1.StatefulSetSpec{
		Replicas: ptr.To[int32](0), Selector: selector, Template: template,
	}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, kind := range []string{"ReplicaSet", "StatefulSet"} {
		mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: kind})
		if err != nil {
			return err
		}
		resource := mapping.Resource.GroupResource()
		found, err := client.Scales(w.namespace).Get(ctx, resource, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		found.Spec.Replicas = 1
		if found, err = client.Scales(w.namespace).Update(ctx, resource, found, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if found.Spec.Replicas != 1 {
			return fmt.Errorf("%s has %d replicas", kind, found.Spec.Replicas)
		}
		patch := []byte(`{"spec":{"replicas":0}}`)
		if found, err = client.Scales(w.namespace).Patch(ctx, mapping.Resource, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if found.Spec.Replicas != 0 {
			return fmt.Errorf("%s has %d replicas", kind, found.Spec.Replicas)
		}
	}
	if err := replicaSets.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return statefulSets.Delete(ctx, name, metav1.DeleteOptions{})
}

// evicts lets a Pod go by way of its eviction, as drains do.
func evicts(ctx context.Context, w *world) error {
	pods := w.client.CoreV1().Pods(w.namespace)
	made, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "evicted"}, Spec: podSpec()}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: made.Name, Namespace: made.Namespace}, DeleteOptions: &metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: ptr.To(types.UID("another"))},
	}}
	if err := w.client.PolicyV1().Evictions(w.namespace).Evict(ctx, eviction); !apierrors.IsConflict(err) {
		return fmt.Errorf("the eviction of another Pod of that name: %v", err)
	}
	eviction.DeleteOptions.Preconditions.UID = &made.UID
	if err := w.client.PolicyV1().Evictions(w.namespace).Evict(ctx, eviction); err != nil {
		return err
	}
	return eventually(ctx, isGone(func() error {
		_, err := pods.Get(ctx, made.Name, metav1.GetOptions{})
		return err
	}))
}

func reviewsItself(ctx context.Context, w *world) error {
	self, err := w.client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if self.Status.UserInfo.Username == "" || !slices.Contains(self.Status.UserInfo.Groups, "system:authenticated") {
		return fmt.Errorf("I am %v", self.Status.UserInfo)
	}
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: w.namespace, Verb: "create", Resource: "pods"},
	}}
	answer, err := w.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !answer.Status.Allowed {
		return fmt.Errorf("I may not create Pods: %v", answer.Status)
	}
	return nil
}

// keepsStatusApart writes each half of an object through both of its endpoints.
func keepsStatusApart(ctx context.Context, w *world) error {
	client := w.client.AutoscalingV1().HorizontalPodAutoscalers(w.namespace)
	object := &autoscalingv1.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "halves"}, Spec: autoscalingv1.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv1.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "none"},
		MaxReplicas:    3,
	}, Status: autoscalingv1.HorizontalPodAutoscalerStatus{CurrentReplicas: 7}}
	made, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if made.Status.CurrentReplicas != 0 {
		return fmt.Errorf("a status was created: %v", made.Status)
	}
	made.Spec.MaxReplicas, made.Status.CurrentReplicas = 5, 2
	made, err = client.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if made.Spec.MaxReplicas != 3 || made.Status.CurrentReplicas != 2 {
		return fmt.Errorf("an update of the status left %v and %v", made.Spec, made.Status)
	}
	made.Spec.MaxReplicas, made.Status.CurrentReplicas = 5, 4
	if made, err = client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if made.Spec.MaxReplicas != 5 || made.Status.CurrentReplicas != 2 {
		return fmt.Errorf("an update left %v and %v", made.Spec, made.Status)
	}
	accessor, err := meta.Accessor(made)
	if err != nil {
		return err
	}
	return client.Delete(ctx, accessor.GetName(), metav1.DeleteOptions{})
}
