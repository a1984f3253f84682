package main

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

var idForm = regexp.MustCompile(`^[a-z2-7]{10}$`)

// tenantID names everything of a tenant: the same ten characters that Vivero derives from the same uid.
func tenantID(uid types.UID) string {
	digest := sha256.Sum256([]byte(uid))
	return strings.ToLower(base32.StdEncoding.EncodeToString(digest[:]))[:10]
}

// names are what a tenant has in each system. None holds a character that SQL, an ACL rule or a URL reads as anything else.
type names struct{ namespace, database, databaseUser, bucket, cacheUser string }

func namesOf(id string) (names, error) {
	if !idForm.MatchString(id) {
		return names{}, fmt.Errorf("not a tenant id: %q", id)
	}
	return names{
		namespace:    "tenant-" + id,
		database:     "vt" + id,
		databaseUser: "vt" + id + "a",
		bucket:       "vivero-" + id,
		cacheUser:    "vt" + id,
	}, nil
}
