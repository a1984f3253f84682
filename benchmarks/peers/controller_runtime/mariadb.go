package main

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// What a tenant's application needs on its own schema, its migrations included.
	privileges = "ALTER, CREATE, CREATE TEMPORARY TABLES, CREATE VIEW, DELETE, DROP, INDEX, INSERT, LOCK TABLES, " +
		"REFERENCES, SELECT, SHOW VIEW, TRIGGER, UPDATE"
	connectTimeout = 5 * time.Second
	answerTimeout  = 30 * time.Second // DROP DATABASE of a large tenant is the slowest
)

// Database makes and removes schemas and users. Names come from namesOf, which checks them, and are back-quoted.
type Database struct{ pool *sql.DB }

func newDatabase(server Server, trust *tls.Config, connections int) (*Database, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd = server.User, server.Password
	config.Net, config.Addr = "tcp", net.JoinHostPort(server.Host, strconv.Itoa(server.Port))
	config.TLS = trust.Clone()
	config.TLS.ServerName = server.Host
	config.InterpolateParams = true // account statements cannot be prepared
	config.Timeout, config.ReadTimeout, config.WriteTimeout = connectTimeout, answerTimeout, answerTimeout
	config.Params = map[string]string{"lock_wait_timeout": "15"} // half the answer's; the server's own default is a day
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(time.Minute) // connections are for tenants
	return &Database{pool}, nil
}

// Ensure brings about the schema, its user with this password, TLS and limit, and the user's rights on the schema alone.
func (d *Database) Ensure(ctx context.Context, n names, password string, connections int, fresh bool) error {
	// Only the password's hash travels.
	account := fmt.Sprintf("`%s`@'%%' IDENTIFIED VIA mysql_native_password USING ? REQUIRE SSL WITH MAX_USER_CONNECTIONS ?",
		n.databaseUser)
	hash := nativeHash(password)
	if err := d.run(ctx, fmt.Sprintf("CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4", n.database)); err != nil {
		return err
	}
	if err := d.run(ctx, "CREATE USER IF NOT EXISTS "+account, hash, connections); err != nil {
		return err
	}
	if !fresh { // it may exist with something else
		if err := d.run(ctx, "ALTER USER "+account, hash, connections); err != nil {
			return err
		}
	}
	return d.run(ctx, fmt.Sprintf("GRANT %s ON `%s`.* TO `%s`@'%%'", privileges, n.database, n.databaseUser))
}

// Drop removes the user, ends its connections and removes the schema.
func (d *Database) Drop(ctx context.Context, n names) error {
	return errors.Join(
		d.run(ctx, fmt.Sprintf("DROP USER IF EXISTS `%s`@'%%'", n.databaseUser)),
		d.run(ctx, fmt.Sprintf("KILL HARD CONNECTION USER `%s`@'%%'", n.databaseUser)),
		d.run(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS `%s`", n.database)),
	)
}

// run executes one statement. The server's own text stays out of the error: it can quote the statement.
func (d *Database) run(ctx context.Context, statement string, values ...any) error {
	_, err := d.pool.ExecContext(ctx, statement, values...)
	var refusal *mysql.MySQLError
	if errors.As(err, &refusal) {
		return fmt.Errorf("mariadb: error %d", refusal.Number)
	}
	return err
}

// nativeHash is what mysql_native_password stores.
func nativeHash(password string) string {
	once := sha1.Sum([]byte(password))
	return fmt.Sprintf("*%X", sha1.Sum(once[:]))
}
