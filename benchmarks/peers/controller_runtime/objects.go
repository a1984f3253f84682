package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var secretMark = regexp.MustCompile(`^@@SECRET[0-9]+@@$`)

// slot is where a tenant's Secrets keep one password.
type slot struct{ secret, key string }

// The slots whose passwords the backends and the workspace have to know.
var (
	databasePassword = slot{"database", "password"}
	storageSecret    = slot{"storage", "secret_key"}
	cachePassword    = slot{"cache", "password"}
	operatorToken    = slot{"app", "operator_token"}
)

// Blueprint is everything of a tenant that lies in Kubernetes, with marks where tenants differ.
type Blueprint struct {
	// Stages are brought about one after another; what is in one stage, at once.
	Stages [][]json.RawMessage `json:"stages"`
	// Connections is how many the tenant's database user may have at once.
	Connections int `json:"connections"`
	// PublicURL is where the workspace answers.
	PublicURL string `json:"public_url"`

	marks       map[string]slot // "@@SECRET1@@" and the like
	secretStage int             // the backends may begin once this stage is there
}

func readBlueprint(path string) (*Blueprint, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := &Blueprint{marks: map[string]slot{}}
	if err := json.Unmarshal(content, b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for index, stage := range b.Stages {
		for _, raw := range stage {
			var secret struct {
				Kind       string
				Metadata   struct{ Name string }
				StringData map[string]string
			}
			if err := json.Unmarshal(raw, &secret); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if secret.Kind != "Secret" {
				continue
			}
			b.secretStage = index
			for key, value := range secret.StringData {
				if secretMark.MatchString(value) {
					b.marks[value] = slot{secret.Metadata.Name, key}
				}
			}
		}
	}
	if len(b.marks) == 0 || b.Connections < 1 || b.PublicURL == "" {
		return nil, errors.New(path + " has to give stages with passwords, connections and public_url")
	}
	return b, nil
}

// passwords keeps what the tenant's Secrets hold and makes anew what they lack.
func (b *Blueprint) passwords(live []corev1.Secret) map[slot]string {
	found := map[slot]string{}
	for _, place := range b.marks {
		for _, secret := range live {
			if secret.Name == place.secret {
				found[place] = string(secret.Data[place.key])
			}
		}
		if found[place] == "" {
			bits := make([]byte, 32) // two of them are AES-256 keys, which the workspace reads as 64 hexadecimal digits
			_, _ = rand.Read(bits)   // never fails: it would end the program
			found[place] = hex.EncodeToString(bits)
		}
	}
	return found
}

func (b *Blueprint) replacer(t *BenchTenant, passwords map[slot]string) *strings.Replacer {
	pairs := []string{
		"@@ID@@", tenantID(t.UID), "@@UID@@", string(t.UID), "@@NAME@@", t.Name, "@@SLUG@@", t.Spec.Slug,
	}
	for mark, place := range b.marks {
		pairs = append(pairs, mark, passwords[place])
	}
	// No value needs escaping in JSON: the API server checks the form of names, uids and slugs, the rest is ours.
	return strings.NewReplacer(pairs...)
}

// render fills in one manifest. A Secret's text becomes data, which is what the API server gives back.
func render(raw json.RawMessage, marks *strings.Replacer) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON([]byte(marks.Replace(string(raw)))); err != nil {
		return nil, err
	}
	text, found, err := unstructured.NestedStringMap(object.Object, "stringData")
	if err != nil || !found {
		return object, err
	}
	for key, value := range text {
		text[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	unstructured.RemoveNestedField(object.Object, "stringData")
	return object, unstructured.SetNestedStringMap(object.Object, text, "data")
}
