package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Storage makes and removes buckets and the accounts that own them, through S3 and versitygw's admin API on the same port.
type Storage struct {
	server ObjectStore
	client *http.Client
	signer *v4.Signer
}

type answer struct {
	status int
	code   string // S3's own, empty on success
	body   []byte
}

func newStorage(server ObjectStore, trust *tls.Config, connections int) *Storage {
	transport := &http.Transport{TLSClientConfig: trust.Clone(), MaxIdleConnsPerHost: connections}
	return &Storage{
		server: server,
		client: &http.Client{Transport: transport, Timeout: answerTimeout},
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
	}
}

// Ensure brings about the account of this name and its bucket.
func (s *Storage) Ensure(ctx context.Context, name, secret string) error {
	// Asked as the account itself: the admin API can only list all of them, secrets included.
	said, err := s.call(ctx, http.MethodGet, "/", nil, nil, aws.Credentials{AccessKeyID: name, SecretAccessKey: secret})
	switch {
	case err != nil:
		return err
	case said.code == "InvalidAccessKeyId":
		err = s.administer(ctx, "/create-user", account{XMLName: xml.Name{Local: "Account"}, Access: name, Secret: secret, Role: "user"}, nil)
	case said.code == "SignatureDoesNotMatch":
		err = s.administer(ctx, "/update-user?access="+name, account{XMLName: xml.Name{Local: "MutableProps"}, Access: name, Secret: secret}, nil)
	default:
		err = said.problem("log in to storage")
	}
	if err != nil {
		return err
	}
	return s.ensureBucket(ctx, name)
}

func (s *Storage) ensureBucket(ctx context.Context, name string) error {
	said, err := s.call(ctx, http.MethodGet, "/"+name+"?acl", nil, nil, s.admin())
	if err != nil {
		return err
	}
	if said.code == "NoSuchBucket" {
		return s.administer(ctx, "/"+name+"/create", nil, http.Header{"X-Vgw-Owner": {name}})
	}
	var list struct {
		Owner struct{ ID string }
	}
	if err := said.problem("read the bucket's owner"); err != nil {
		return err
	}
	if err := xml.Unmarshal(said.body, &list); err != nil {
		return err
	}
	if list.Owner.ID == name {
		return nil
	}
	return s.administer(ctx, "/change-bucket-owner?bucket="+name+"&owner="+name, nil, nil)
}

// Drop removes the account and the bucket, which has to be empty: a benchmark stores nothing.
func (s *Storage) Drop(ctx context.Context, name string) error {
	nobody := aws.Credentials{AccessKeyID: name, SecretAccessKey: rand.Text()}
	said, err := s.call(ctx, http.MethodGet, "/", nil, nil, nobody)
	if err != nil {
		return err
	}
	if said.code != "InvalidAccessKeyId" { // the admin API would say success for an unknown account too
		if err := s.administer(ctx, "/delete-user?access="+name, nil, nil); err != nil {
			return err
		}
	}
	said, err = s.call(ctx, http.MethodDelete, "/"+name, nil, nil, s.admin())
	if err != nil || said.code == "NoSuchBucket" {
		return err
	}
	return said.problem("delete the bucket")
}

// account is the admin API's document.
type account struct {
	XMLName xml.Name
	Access  string
	Secret  string
	Role    string `xml:",omitempty"`
}

func (s *Storage) administer(ctx context.Context, path string, document any, header http.Header) error {
	var body []byte
	if document != nil {
		var err error
		if body, err = xml.Marshal(document); err != nil {
			return err
		}
	}
	said, err := s.call(ctx, http.MethodPatch, path, body, header, s.admin())
	if err != nil {
		return err
	}
	return said.problem(path)
}

func (s *Storage) admin() aws.Credentials {
	return aws.Credentials{AccessKeyID: s.server.AccessKey, SecretAccessKey: s.server.SecretKey}
}

// call sends one request, signed as `login`; a refusal is an answer.
func (s *Storage) call(ctx context.Context, method, path string, body []byte, header http.Header, login aws.Credentials) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.server.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	digest := sha256.Sum256(body)
	hash := hex.EncodeToString(digest[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	if err := s.signer.SignHTTP(ctx, login, request, hash, "s3", s.server.Region, time.Now()); err != nil {
		return answer{}, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	said := answer{status: response.StatusCode, body: content}
	if said.status >= http.StatusBadRequest {
		var refusal struct{ Code string }
		_ = xml.Unmarshal(content, &refusal) // a proxy's page has none
		said.code = refusal.Code
	}
	return said, err
}

func (a answer) problem(doing string) error {
	if a.status < http.StatusBadRequest {
		return nil
	}
	return fmt.Errorf("s3: %s: status %d %s", doing, a.status, a.code)
}
