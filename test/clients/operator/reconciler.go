package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	fieldManager = "lighthouse-operator"
	finalizer    = "operator.example.com/register"
	// settingsIndex finds the lighthouses that read a ConfigMap.
	settingsIndex = "spec.settings"
	settingsRead  = "operator.example.com/settings-version"
)

type reconciler struct {
	client.Client
	events              events.EventRecorder
	namespace, register string
}

func (r *reconciler) setUp(ctx context.Context, manager ctrl.Manager) error {
	err := manager.GetFieldIndexer().IndexField(ctx, &Lighthouse{}, settingsIndex, func(object client.Object) []string {
		if settings := object.(*Lighthouse).Spec.Settings; settings != "" {
			return []string{settings}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&Lighthouse{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		// Only when they change matters, not what is in them.
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.readersOf)).
		Complete(r)
}

func (r *reconciler) readersOf(ctx context.Context, settings client.Object) []reconcile.Request {
	var list LighthouseList
	if err := r.List(ctx, &list, client.InNamespace(settings.GetNamespace()), client.MatchingFields{settingsIndex: settings.GetName()}); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for index := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[index])})
	}
	return requests
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	lighthouse := &Lighthouse{}
	if err := r.Get(ctx, request.NamespacedName, lighthouse); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !lighthouse.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.strikeOut(ctx, lighthouse)
	}
	if err := r.enter(ctx, lighthouse); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.applyService(ctx, lighthouse); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.applyDeployment(ctx, lighthouse); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.report(ctx, lighthouse)
}

// enter puts the lighthouse in the register; the finalizer comes first, so that nothing is there that nobody would strike out.
func (r *reconciler) enter(ctx context.Context, lighthouse *Lighthouse) error {
	before := lighthouse.DeepCopy()
	if controllerutil.AddFinalizer(lighthouse, finalizer) {
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := r.Patch(ctx, lighthouse, patch); err != nil {
			return err
		}
		r.events.Eventf(lighthouse, nil, corev1.EventTypeNormal, "Registered", "Register", "ships are told of %s", lighthouse.Name)
	}
	return r.writeRegister(ctx, func(entries map[string]string) { entries[entryOf(lighthouse)] = string(lighthouse.UID) })
}

func (r *reconciler) strikeOut(ctx context.Context, lighthouse *Lighthouse) error {
	if !controllerutil.ContainsFinalizer(lighthouse, finalizer) {
		return nil
	}
	if err := r.writeRegister(ctx, func(entries map[string]string) { delete(entries, entryOf(lighthouse)) }); err != nil {
		return err
	}
	before := lighthouse.DeepCopy()
	controllerutil.RemoveFinalizer(lighthouse, finalizer)
	return client.IgnoreNotFound(r.Patch(ctx, lighthouse, client.MergeFrom(before)))
}

func entryOf(lighthouse *Lighthouse) string { return lighthouse.Namespace + "." + lighthouse.Name }

// writeRegister edits what lighthouses of all namespaces share, so that conflicts are usual.
func (r *reconciler) writeRegister(ctx context.Context, edit func(map[string]string)) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		register := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: r.register, Namespace: r.namespace}}
		_, err := controllerutil.CreateOrUpdate(ctx, r.Client, register, func() error {
			if register.Data == nil {
				register.Data = map[string]string{}
			}
			edit(register.Data)
			return nil
		})
		return err
	})
}

func labelsOf(lighthouse *Lighthouse) map[string]string {
	return map[string]string{"lighthouse": lighthouse.Name}
}

func (r *reconciler) applyService(ctx context.Context, lighthouse *Lighthouse) error {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: lighthouse.Name, Namespace: lighthouse.Namespace}}
	done, err := controllerutil.CreateOrUpdate(ctx, r.Client, service, func() error {
		service.Spec.Selector = labelsOf(lighthouse)
		// What the server filled in stays: an update that changes nothing is not sent.
		if len(service.Spec.Ports) != 1 {
			service.Spec.Ports = []corev1.ServicePort{{}}
		}
		port := &service.Spec.Ports[0]
		port.Port, port.TargetPort = lighthouse.Spec.Port, intstr.FromString("light")
		return controllerutil.SetControllerReference(lighthouse, service, r.Scheme())
	})
	if done == controllerutil.OperationResultUpdated {
		r.events.Eventf(lighthouse, service, corev1.EventTypeWarning, "Repaired", "Repair", "the Service %s was not as it should be", service.Name)
	}
	return err
}

func (r *reconciler) applyDeployment(ctx context.Context, lighthouse *Lighthouse) error {
	settings, err := r.settingsVersion(ctx, lighthouse)
	if err != nil {
		return err
	}
	container := applycorev1.Container().WithName("lamp").WithImage(lighthouse.Spec.Image).
		WithPorts(applycorev1.ContainerPort().WithName("light").WithContainerPort(8080))
	template := applycorev1.PodTemplateSpec().WithLabels(labelsOf(lighthouse)).
		WithSpec(applycorev1.PodSpec().WithTerminationGracePeriodSeconds(1).WithContainers(container))
	if settings != "" {
		template.WithAnnotations(map[string]string{settingsRead: settings})
	}
	owner := applymetav1.OwnerReference().
		WithAPIVersion(groupVersion.String()).WithKind("Lighthouse").WithName(lighthouse.Name).WithUID(lighthouse.UID).
		WithController(true).WithBlockOwnerDeletion(true)
	deployment := applyappsv1.Deployment(lighthouse.Name, lighthouse.Namespace).
		WithLabels(labelsOf(lighthouse)).
		WithOwnerReferences(owner).
		WithSpec(applyappsv1.DeploymentSpec().
			WithReplicas(lighthouse.Spec.Lamps).
			WithSelector(applymetav1.LabelSelector().WithMatchLabels(labelsOf(lighthouse))).
			WithTemplate(template))
	return r.Apply(ctx, deployment, client.ForceOwnership, client.FieldOwner(fieldManager))
}

// settingsVersion reads the ConfigMap's metadata from the cache; one that is not there yet has no version.
func (r *reconciler) settingsVersion(ctx context.Context, lighthouse *Lighthouse) (string, error) {
	if lighthouse.Spec.Settings == "" {
		return "", nil
	}
	settings := &metav1.PartialObjectMetadata{}
	settings.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	err := r.Get(ctx, types.NamespacedName{Namespace: lighthouse.Namespace, Name: lighthouse.Spec.Settings}, settings)
	return settings.ResourceVersion, client.IgnoreNotFound(err)
}

// report writes the status, where it differs.
func (r *reconciler) report(ctx context.Context, lighthouse *Lighthouse) error {
	deployment := &appsv1.Deployment{}
	err := r.Get(ctx, client.ObjectKeyFromObject(lighthouse), deployment)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	before := lighthouse.DeepCopy()
	wasReady := meta.IsStatusConditionTrue(before.Status.Conditions, "Ready")
	status := &lighthouse.Status
	status.ObservedGeneration = lighthouse.Generation
	status.Selector = labels.SelectorFromSet(labelsOf(lighthouse)).String()
	status.Lit = deployment.Status.ReadyReplicas
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Dark", ObservedGeneration: lighthouse.Generation}
	ready.Message = fmt.Sprintf("%d of %d lamps are lit", status.Lit, lighthouse.Spec.Lamps)
	if status.Lit == lighthouse.Spec.Lamps {
		ready.Status, ready.Reason = metav1.ConditionTrue, "Lit"
	}
	meta.SetStatusCondition(&status.Conditions, ready)
	if equality.Semantic.DeepEqual(before.Status, lighthouse.Status) {
		return nil
	}
	if err := r.Status().Patch(ctx, lighthouse, client.MergeFrom(before)); err != nil {
		return err
	}
	if ready.Status == metav1.ConditionTrue && !wasReady {
		r.events.Eventf(lighthouse, nil, corev1.EventTypeNormal, "Lit", "Light", "all %d lamps are lit", status.Lit)
	}
	return nil
}
