package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

type blob struct {
	mediaType string
	data      []byte
}

// images holds every blob by digest, and the manifest that a manner of failing starts with.
type images struct {
	blobs map[string]blob
	tops  map[string]string
}

func newImages() (*images, error) {
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	all := &images{blobs: map[string]blob{}, tops: map[string]string{}}
	all.tops["good"] = all.image(own, runtime.GOARCH)
	// The kernel refuses what begins like a program but is none for this processor.
	all.tops["disguised"] = all.image(append([]byte("\x7fELF"), make([]byte, 60)...), runtime.GOARCH)
	foreign := all.image([]byte("#!"), other)
	all.tops["foreign"] = all.add(indexType, encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     indexType,
		"manifests": []any{map[string]any{
			"mediaType": manifestType,
			"digest":    foreign,
			"size":      len(all.blobs[foreign].data),
			"platform":  map[string]string{"architecture": other, "os": "linux"},
		}},
	}))
	return all, nil
}

// image adds an image with one program and returns its manifest's digest.
func (all *images) image(program []byte, architecture string) string {
	layer := all.add(layerType, archive(program))
	config := all.add(configType, encode(map[string]any{
		"architecture": architecture,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{"/program", "wait"}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{layer}},
	}))
	return all.add(manifestType, encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        all.descriptor(config),
		"layers":        []any{all.descriptor(layer)},
	}))
}

func (all *images) add(mediaType string, data []byte) string {
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	all.blobs[digest] = blob{mediaType, data}
	return digest
}

func (all *images) descriptor(digest string) map[string]any {
	found := all.blobs[digest]
	return map[string]any{"mediaType": found.mediaType, "digest": digest, "size": len(found.data)}
}

// serve answers requests for manifests and blobs: /v2/NAME/manifests/REFERENCE, /v2/NAME/blobs/DIGEST.
func (all *images) serve(writer http.ResponseWriter, request *http.Request, manner string) {
	parts := strings.Split(request.URL.Path, "/")
	digest := parts[len(parts)-1]
	top, known := all.tops[manner]
	if known && len(parts) > 2 && parts[len(parts)-2] == "manifests" && !strings.Contains(digest, ":") {
		digest = top
	}
	found, ok := all.blobs[digest]
	if !known || !ok {
		refuse(writer, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	writer.Header().Set("Content-Type", found.mediaType)
	writer.Header().Set("Content-Length", strconv.Itoa(len(found.data)))
	writer.Header().Set("Docker-Content-Digest", digest)
	if request.Method == http.MethodGet {
		_, _ = writer.Write(found.data)
	}
}

func archive(program []byte) []byte {
	var buffer bytes.Buffer
	layer := tar.NewWriter(&buffer)
	_ = layer.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(program))})
	_, _ = layer.Write(program)
	_ = layer.Close()
	return buffer.Bytes()
}

func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps of strings and numbers are encoded here
	}
	return data
}
