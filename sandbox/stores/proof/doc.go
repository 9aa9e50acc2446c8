// Package proof drives the fakes of package stores with the vendors' own clients. It is a module of its own, so that
// these weigh on nobody else.
package proof
