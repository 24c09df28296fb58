package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// electsLeaders lets two candidates compete: one leads, the other follows when the first gives up.
func electsLeaders(ctx context.Context, w *world) error {
	leads := make(chan string, 2)
	campaign := func(ctx context.Context, name string) {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: w.namespace},
				Client:     w.client.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: name},
			},
			LeaseDuration:   6 * time.Second,
			RenewDeadline:   4 * time.Second,
			RetryPeriod:     500 * time.Millisecond,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leads <- name },
				OnStoppedLeading: func() {},
			},
		})
	}
	next := func() (string, error) {
		select {
		case name := <-leads:
			return name, nil
		case <-ctx.Done():
			return "", fmt.Errorf("nobody leads")
		}
	}
	candidates := map[string]context.CancelFunc{}
	for _, name := range []string{"alice", "bob"} {
		running, stop := context.WithCancel(ctx)
		defer stop()
		candidates[name] = stop
		go campaign(running, name)
	}
	first, err := next()
	if err != nil {
		return err
	}
	select {
	case other := <-leads:
		return fmt.Errorf("%s leads beside %s", other, first)
	case <-time.After(2 * time.Second):
	}
	candidates[first]()
	second, err := next()
	if err != nil {
		return err
	}
	if second == first {
		return fmt.Errorf("%s gave up and leads", first)
	}
	return nil
}
