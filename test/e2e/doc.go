// Package e2e tests all of Framebridge from outside: real processes that are killed, a real Temporal server, and both
// vendors simulated. The tests have the build tag integration.
package e2e
