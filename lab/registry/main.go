// Command registry is a container registry that fails on purpose: the first part of a repository's
// name says how. The same failures come from real registries every day, but not on demand.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"flag"
	"log"
	"math/big"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const help = `registry [OPTION]: answers by the first part of the repository's name

  private/…      401, credentials wanted
  forbidden/…    403, denied
  missing/…      404, manifest unknown
  busy/…         429, too many requests
  broken/…       500, an error of the registry
  stuck/…        no answer for ten minutes
  foreign/…      an image for another processor only
  disguised/…    an image whose program is for another processor
  good/…         an image that runs and waits
Everything on the TLS port has a certificate that nobody trusts.

`

func main() {
	log.SetFlags(0)
	flag.Usage = func() {
		os.Stderr.WriteString(help)
		flag.PrintDefaults()
	}
	plain := flag.String("plain", ":5001", "`ADDRESS` for HTTP")
	secure := flag.String("tls", ":5443", "`ADDRESS` for HTTPS with a self-signed certificate")
	flag.Parse()
	if flag.Arg(0) == "wait" { // what the good image does
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
		<-signals
		return
	}
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := selfSigned()
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Addr:      *secure,
		Handler:   handler,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	go func() { log.Fatal(server.ListenAndServeTLS("", "")) }()
	log.Printf("plain on %s, TLS on %s", *plain, *secure)
	log.Fatal(http.ListenAndServe(*plain, handler))
}

func newHandler() (http.Handler, error) {
	images, err := newImages()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		path := strings.TrimPrefix(request.URL.Path, "/v2/")
		if path == "" {
			writer.WriteHeader(http.StatusOK)
			return
		}
		manner, _, _ := strings.Cut(path, "/")
		log.Printf("%s %s", request.Method, request.URL.Path)
		switch manner {
		case "private":
			writer.Header().Set("WWW-Authenticate", `Basic realm="kcompanion lab"`)
			refuse(writer, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		case "forbidden":
			refuse(writer, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
		case "busy":
			writer.Header().Set("Retry-After", "60")
			refuse(writer, http.StatusTooManyRequests, "TOOMANYREQUESTS", "you have reached your pull rate limit")
		case "broken":
			refuse(writer, http.StatusInternalServerError, "UNKNOWN", "the registry has an internal error")
		case "stuck":
			select {
			case <-time.After(10 * time.Minute):
			case <-request.Context().Done():
			}
		default:
			images.serve(writer, request, manner)
		}
	}), nil
}

// refuse answers as the distribution specification says registries do.
func refuse(writer http.ResponseWriter, status int, code, message string) {
	body := map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	_ = json.NewEncoder(writer).Encode(body)
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	name, _ := os.Hostname()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "kcompanion lab, trusted by nobody"},
		DNSNames:     []string{name, "localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(365 * 24 * time.Hour),
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, nil
}
