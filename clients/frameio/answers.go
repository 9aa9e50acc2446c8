package frameio

import "github.com/framebridge/framebridge/clients/rest"

// NoData returns the error for a successful response without the requested data. If such a response were accepted, a folder
// would silently be empty.
func NoData(op string) error {
	return &rest.Error{Vendor: vendor, Operation: op, Class: rest.Retryable, Detail: "the response contains no data"}
}

// Made returns an error for a response to a creation that does not say what was created.
func Made(id, op string, err error) error {
	if err == nil && id == "" {
		return &rest.Error{Vendor: vendor, Operation: op, Class: rest.Retryable, Uncertain: true, Detail: "the response contains no ID"}
	}
	return err
}
