package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	workspacePort  = "8080"
	requestTimeout = 10 * time.Second
	// A proof is a few hundred bytes; more is no answer of a workspace.
	answerLimit = 64 << 10
)

// Workspace talks to tenants' pods.
type Workspace struct{ client *http.Client }

func newWorkspace() *Workspace {
	// Pods come and go: no connection is kept.
	return &Workspace{&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: requestTimeout}}
}

// Introduce tells the workspace who it is and has it prove that its credentials work.
func (w *Workspace) Introduce(ctx context.Context, address, token, name, url string) error {
	who := map[string]any{"name": name, "public_url": url, "owner": nil}
	status, _, err := w.call(ctx, http.MethodPut, address, "workspace", token, who)
	if err != nil {
		return err
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return fmt.Errorf("workspace: its name was refused with status %d", status)
	}
	status, body, err := w.call(ctx, http.MethodGet, address, "proof", token, nil)
	if err != nil {
		return err
	}
	var proof struct {
		OK                       bool
		Database, Storage, Cache struct{ OK bool }
	}
	if err := json.Unmarshal(body, &proof); err != nil {
		return fmt.Errorf("workspace: the proof answered with status %d and no document", status)
	}
	if !proof.OK || !proof.Database.OK || !proof.Storage.OK || !proof.Cache.OK {
		return errors.New("workspace: its own credentials do not work")
	}
	return nil
}

func (w *Workspace) call(ctx context.Context, method, address, what, token string, document any) (int, []byte, error) {
	body := &bytes.Buffer{}
	if document != nil {
		if err := json.NewEncoder(body).Encode(document); err != nil {
			return 0, nil, err
		}
	}
	url := "http://" + net.JoinHostPort(address, workspacePort) + "/internal/v1/" + what
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	return response.StatusCode, content, err
}
