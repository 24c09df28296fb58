// Command clients drives a control plane through client-go, as operators and controllers do: typed clients in protobuf, the dynamic
// and the metadata client, shared informers, leader election. It prints a line that begins with "ok" for each check, and ends with
// code 1 at the first one that fails.
//
// With KUBE_WATCHLIST_INCONSISTENCY_DETECTOR=true client-go itself compares every cache that a watch list filled with a list.
//
// Usage: clients [-kubeconfig FILE] [-namespace NAME]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// checkTimeout is how long one check may take before it fails.
const checkTimeout = 90 * time.Second

// world is what every check gets.
type world struct {
	config    *rest.Config
	client    kubernetes.Interface
	namespace string
	wire      *wire
}

type check struct {
	name string
	run  func(context.Context, *world) error
}

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "file that says where the control plane is")
	namespace := flag.String("namespace", "clients", "namespace to work in; made and removed by the program")
	flag.Parse()

	log := keepLog()
	world, err := connect(*kubeconfig, *namespace)
	if err != nil {
		fail("connect", err)
	}
	checks := []check{{"namespace", makeNamespace}, {"discovery", discovers}}
	checks = append(checks, typedChecks()...)
	checks = append(checks, genericChecks()...)
	checks = append(checks, subresourceChecks()...)
	checks = append(checks, convergenceChecks()...)
	checks = append(checks, informerChecks()...)
	checks = append(checks,
		check{"informers: none fell back to a list", log.usesWatchLists},
		check{"leader election", electsLeaders},
		check{"namespace removed", removeNamespace},
	)
	for _, each := range checks {
		started := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		err := each.run(ctx, world)
		cancel()
		if err != nil {
			fail(each.name, err)
		}
		fmt.Printf("ok %s (%d ms)\n", each.name, time.Since(started).Milliseconds())
	}
	fmt.Printf("ok: %d checks\n", len(checks))
}

func fail(name string, err error) {
	fmt.Printf("FAILED %s: %v\n", name, err)
	os.Exit(1)
}

func connect(kubeconfig, namespace string) (*world, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "binnacle-clients"
	// The checks measure the server; the client's own brake would only make them slow.
	config.QPS, config.Burst = 500, 500
	wire := &wire{}
	config.Wrap(wire.wrap)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &world{config: config, client: client, namespace: namespace, wire: wire}, nil
}

func makeNamespace(ctx context.Context, w *world) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	made, err := w.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if made.Status.Phase != corev1.NamespaceActive {
		return fmt.Errorf("its phase is %q", made.Status.Phase)
	}
	return nil
}

// removeNamespace waits until it is really gone.
func removeNamespace(ctx context.Context, w *world) error {
	namespaces := w.client.CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, w.namespace, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually(ctx, isGone(func() error {
		_, err := namespaces.Get(ctx, w.namespace, metav1.GetOptions{})
		return err
	}))
}
