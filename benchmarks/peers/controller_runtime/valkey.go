package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What a tenant may do with its own keys; commands that see or touch the whole server are left out.
const commands = "-@all +@read +@write +@transaction +@connection +@pubsub -@admin -@dangerous -@scripting " +
	"+eval +evalsha +script|load +script|exists " +
	"-scan -randomkey -dbsize -pubsub -client|tracking -select -memory -copy"

// Cache makes and removes ACL users that see the keys under their prefix alone.
type Cache struct{ client *redis.Client }

func newCache(server Server, trust *tls.Config, connections int) *Cache {
	config := trust.Clone()
	config.ServerName = server.Host
	return &Cache{redis.NewClient(&redis.Options{
		Addr:            net.JoinHostPort(server.Host, strconv.Itoa(server.Port)),
		Username:        server.User,
		Password:        server.Password,
		TLSConfig:       config,
		Protocol:        2, // ACL GETUSER as a flat list
		DisableIdentity: true,
		PoolSize:        connections,
		DialTimeout:     connectTimeout,
		ReadTimeout:     answerTimeout,
	})}
}

// Ensure brings about the user with this password and writes it into the server's ACL file.
func (c *Cache) Ensure(ctx context.Context, user, password string) error {
	digest := sha256.Sum256([]byte(password))
	hash, keys := hex.EncodeToString(digest[:]), user+":*"
	present, err := c.client.Do(ctx, "ACL", "GETUSER", user).Slice()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("valkey: %w", err)
	}
	if isAllowed(present, hash, keys) {
		return nil
	}
	// `reset` first, in the same command: nothing lingers, and no moment is without rules.
	rules := []any{"ACL", "SETUSER", user, "reset", "on", "#" + hash, "~" + keys, "&" + keys}
	for _, command := range strings.Fields(commands) {
		rules = append(rules, command)
	}
	if err := c.client.Do(ctx, rules...).Err(); err != nil {
		return fmt.Errorf("valkey: set up user %s: %w", user, err)
	}
	return c.client.Do(ctx, "ACL", "SAVE").Err()
}

// isAllowed reads ACL GETUSER's list of names and values.
func isAllowed(present []any, hash, keys string) bool {
	found := map[any]any{}
	for i := 0; i+1 < len(present); i += 2 {
		found[present[i]] = present[i+1]
	}
	flags, _ := found["flags"].([]any)
	return len(flags) > 0 && flags[0] == "on" && reflect.DeepEqual(found["passwords"], []any{hash}) &&
		found["commands"] == commands && found["keys"] == "~"+keys && found["channels"] == "&"+keys
}

// Drop removes the user; the server ends its connections itself.
func (c *Cache) Drop(ctx context.Context, user string) error {
	if err := c.client.Do(ctx, "ACL", "DELUSER", user).Err(); err != nil {
		return fmt.Errorf("valkey: drop user %s: %w", user, err)
	}
	return c.client.Do(ctx, "ACL", "SAVE").Err()
}
