// Command reference is a kube-apiserver with an etcd of its own, for comparing answers. Both listen on loopback, and keep what they store
// in a temporary folder.
//
// Usage: reference -port PORT -token TOKEN
//
// The bearer of the token is an administrator. It ends, and removes its folder, when its standard input closes or on SIGTERM or SIGINT:
// a test that is killed leaves nothing behind.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	port := flag.Int("port", 0, "where kube-apiserver listens, on 127.0.0.1")
	token := flag.String("token", "", "the administrator's bearer token")
	flag.Parse()

	folder, err := os.MkdirTemp("", "reference-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(folder, *port, *token) }()

	code := 0
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		code = 1
	case <-told():
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// told is closed when nobody needs the server any more.
func told() <-chan struct{} {
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return signals.Done()
}

// serve runs etcd and kube-apiserver until one of them fails.
func serve(folder string, port int, token string) error {
	etcd, err := startEtcd(filepath.Join(folder, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	tokens := filepath.Join(folder, "tokens.csv")
	if err := os.WriteFile(tokens, fmt.Appendf(nil, "%s,administrator,1,system:masters\n", token), 0o600); err != nil {
		return err
	}
	key := filepath.Join(folder, "service-accounts.key")
	if err := writeKey(key); err != nil {
		return err
	}
	command := app.NewAPIServerCommand()
	command.SetArgs([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + filepath.Join(folder, "certificates"),
		"--token-auth-file=" + tokens,
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + key,
		"--service-account-key-file=" + key,
		"--service-cluster-ip-range=10.96.0.0/12",
		// A loopback address is no endpoint for the Service `kubernetes`.
		"--endpoint-reconciler-type=none",
	})
	if err := command.Execute(); err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	return fmt.Errorf("kube-apiserver ended")
}

// startEtcd starts etcd on free ports. What it stores need not survive, so it does not wait for the disk.
func startEtcd(folder string) (string, error) {
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = folder
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.LogLevel = "error"
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return "http://" + etcd.Clients[0].Addr().String(), nil
	case err := <-etcd.Err():
		return "", err
	}
}

// writeKey makes the key that signs ServiceAccounts' tokens.
func writeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}
