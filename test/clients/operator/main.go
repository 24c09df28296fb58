// Command operator reconciles Lighthouses into Deployments and Services, as operators made with controller-runtime do: it brings its own
// CustomResourceDefinition, and has a cache filled by watch lists, a finalizer, owner references, server-side apply, a status subresource
// with conditions, events, and leader election.
//
// Usage: operator -kubeconfig FILE [-namespace NAME] [-register NAME] [-v LEVEL]
//
// It prints "leads" when it has become the leader.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	klog.InitFlags(nil)
	namespace := flag.String("namespace", "default", "where the leader's Lease and the register of lighthouses are")
	register := flag.String("register", "lighthouses", "ConfigMap that lists every lighthouse; it outlives them")
	flag.Parse()
	ctrl.SetLogger(klog.Background())

	if err := run(*namespace, *register); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(namespace, register string) error {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(addToScheme(scheme))
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.UserAgent = fieldManager
	ctx := ctrl.SetupSignalHandler()
	if err := install(ctx, config); err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       server.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "lighthouse-operator",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
		// Short, so that a test need not wait long for the next leader.
		LeaseDuration: ptr.To(4 * time.Second),
		RenewDeadline: ptr.To(3 * time.Second),
		RetryPeriod:   ptr.To(500 * time.Millisecond),
	})
	if err != nil {
		return err
	}
	reconciler := &reconciler{
		Client:   manager.GetClient(),
		events:   manager.GetEventRecorder("lighthouse-operator"),
		register: register, namespace: namespace,
	}
	if err := reconciler.setUp(ctx, manager); err != nil {
		return err
	}
	go func() {
		<-manager.Elected()
		fmt.Println("leads")
	}()
	return manager.Start(ctx)
}
