package frameio

import (
	"cmp"
	"context"
)

// Reader reads one Frame.io account scope and changes nothing in it, so it is all that an archive may use. Its methods are safe
// for concurrent use. Every error is a classified *rest.Error.
type Reader interface {
	// Generation returns the API that the IDs, links and shares belong to. It is recorded with them, and Migrated tells whether
	// they are still valid.
	Generation() Generation
	Capabilities() Capabilities

	// Me returns the user that the token acts as. It is the cheapest test of a token.
	Me(ctx context.Context) (User, error)
	// Projects lists every project that the token sees, including natively archived ones.
	Projects(ctx context.Context, cursor string) (Page[Project], error)
	// Workspace finds the team (legacy) or workspace (v4) by ID or name. An empty string means the only one there is.
	Workspace(ctx context.Context, idOrName string) (Team, error)
	// ProjectsOf lists the projects of one team or workspace, except archived ones.
	ProjectsOf(ctx context.Context, workspaceID, cursor string) (Page[Project], error)
	// Project returns a project with its team (or workspace) filled in.
	Project(ctx context.Context, projectID string) (Project, error)

	// Children lists a folder: files, folders and version stacks, never deleted ones.
	Children(ctx context.Context, folderID, cursor string) (Page[Asset], error)
	// Versions returns all files of a version stack, oldest first; the last one is the current version.
	Versions(ctx context.Context, stack Asset) ([]Asset, error)
	// Asset reads one file, folder or stack.
	Asset(ctx context.Context, assetID string) (Asset, error)
	// Media returns a signed URL for a file's bytes. If fresh is set, it does not use a cached URL. It returns
	// *OriginalUnavailable if rendition is RenditionOriginal and Frame.io provides no original, or, with NoProxy, if rendition
	// is RenditionProxy and there is no proxy.
	Media(ctx context.Context, fileID string, rendition Rendition, fresh bool) (Media, error)

	// Members lists who may see a project.
	Members(ctx context.Context, p Project, cursor string) (Page[Member], error)
	// FolderMembers lists who may see a folder, if Capabilities.FolderMembers is set.
	FolderMembers(ctx context.Context, folderID, cursor string) (Page[Member], error)
	// Groups lists the account's groups.
	Groups(ctx context.Context, cursor string) (Page[Group], error)

	// Comments lists the comments and replies of one file (a version, never a stack), replies flat with ParentID.
	Comments(ctx context.Context, fileID, cursor string) (Page[Comment], error)
	// Comment reads one comment or reply.
	Comment(ctx context.Context, commentID string) (Comment, error)

	// Shares lists a project's presentations, review links and shares.
	Shares(ctx context.Context, projectID, cursor string) (Page[Share], error)
	// ShareItems lists the members of a share, in its order. The contents of a folder that is a member are not members themselves.
	ShareItems(ctx context.Context, share Share, cursor string) (Page[ShareItem], error)
	// ShareByID reads a share made by CreateShare.
	ShareByID(ctx context.Context, shareID string) (Share, error)
	// Reviewers returns who was invited, as far as the generation tells.
	Reviewers(ctx context.Context, shareID string) (Reviewers, error)

	// Collections lists a project's collections, including those behind shares.
	Collections(ctx context.Context, projectID, cursor string) (Page[Collection], error)
	// CollectionItems lists what is in a collection. known is false if the generation does not tell.
	CollectionItems(ctx context.Context, c Collection, project Project) (items []ShareItem, known bool, err error)
}

type glanceKey struct{}

// AtAGlance makes Comments leave out what takes an extra call per comment, for when somebody is waiting for a page.
func AtAGlance(ctx context.Context) context.Context { return context.WithValue(ctx, glanceKey{}, true) }

// IsGlance reports whether ctx comes from AtAGlance.
func IsGlance(ctx context.Context) bool { return ctx.Value(glanceKey{}) != nil }

// Migrated reports whether Frame.io has moved the account to its other API since something was recorded under the given
// generation. Links from before are then dead, and IDs may have changed. An empty generation means the legacy API.
func Migrated(p Reader, recorded string) bool {
	return cmp.Or(Generation(recorded), Legacy) != p.Generation()
}
