package iconik

import "github.com/framebridge/framebridge/clients/rest"

// StatusDeleted is the status of an object that was deleted and is still shown, as long as it is in the delete queue.
const StatusDeleted = "DELETED"

// Gone says whether an object that was asked for by its id is not there: iconik does not know it, or shows it as deleted.
func Gone[T interface{ Deleted() bool }](object T, err error) bool {
	return rest.IsNotFound(err) || err == nil && object.Deleted()
}

// Deleted says that the asset was deleted.
func (a Asset) Deleted() bool { return a.Status == StatusDeleted }

// Deleted says that the version was deleted, or is being deleted.
func (v Version) Deleted() bool { return v.Status == StatusDeleted || v.Status == "DELETING" }

// Deleted says that the collection was deleted.
func (c Collection) Deleted() bool { return c.Status == StatusDeleted }

// Deleted says that what a collection or a search shows was deleted.
func (o Object) Deleted() bool { return o.Status == StatusDeleted }

// Deleted says that the format was deleted.
func (f Format) Deleted() bool { return f.Status == StatusDeleted }

// Deleted says that the file set was deleted.
func (f FileSet) Deleted() bool { return f.Status == StatusDeleted }

// Deleted says that the file was deleted, or what holds it was: a deleted format or file set takes its files with it, which may be
// shown as whole until then.
func (f File) Deleted() bool {
	return f.Status == StatusDeleted || f.FileSetStatus == StatusDeleted || f.FormatStatus == StatusDeleted
}

// Deleted says that the segment was deleted.
func (s Segment) Deleted() bool { return s.Status == StatusDeleted }
