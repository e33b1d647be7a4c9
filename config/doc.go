// Package config reads what a user configures: the phone profile (YAML) into
// phone.Settings, with all its faults at once, and where the server's files
// lie.
package config
