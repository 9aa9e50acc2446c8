package frameio

import (
	"cmp"
	"context"
)

// Reader reads one Frame.io account scope and changes nothing in it: all that an archive may do. Its methods are safe for
// concurrent use. Every error is a *rest.Error, classified once.
type Reader interface {
	// Generation names the API whose ids, links and shares these are: it is written down with them, and Migrated tells
	// whether they are still good.
	Generation() Generation
	Capabilities() Capabilities

	// Me returns the user the token acts as: the cheapest test of a token.
	Me(ctx context.Context) (User, error)
	// Projects lists every project the token sees, natively archived ones included.
	Projects(ctx context.Context, cursor string) (Page[Project], error)
	// Workspace finds the team (legacy) or workspace (v4) by id or name; empty means the only one there is.
	Workspace(ctx context.Context, idOrName string) (Team, error)
	// ProjectsOf lists the projects of one team or workspace, archived ones left out.
	ProjectsOf(ctx context.Context, workspaceID, cursor string) (Page[Project], error)
	// Project returns a project with its team (or workspace) filled in.
	Project(ctx context.Context, projectID string) (Project, error)

	// Children lists a folder: files, folders and version stacks, never deleted ones.
	Children(ctx context.Context, folderID, cursor string) (Page[Asset], error)
	// Versions returns all files of a version stack, oldest first; the last one is the current version.
	Versions(ctx context.Context, stack Asset) ([]Asset, error)
	// Asset reads one file, folder or stack.
	Asset(ctx context.Context, assetID string) (Asset, error)
	// Media returns a signed URL for a file's bytes. With fresh set, no remembered URL is used. It reports
	// *OriginalUnavailable when rendition is RenditionOriginal and Frame.io has no original to give, and the same
	// with NoProxy when it has no proxy either.
	Media(ctx context.Context, fileID string, rendition Rendition, fresh bool) (Media, error)

	// Members lists who may see a project.
	Members(ctx context.Context, p Project, cursor string) (Page[Member], error)
	// FolderMembers lists who may see a folder, where Capabilities say that there is such a list.
	FolderMembers(ctx context.Context, folderID, cursor string) (Page[Member], error)
	// Groups lists the account's groups.
	Groups(ctx context.Context, cursor string) (Page[Group], error)

	// Comments lists the comments and replies of one file (a version, never a stack), replies flat with ParentID.
	Comments(ctx context.Context, fileID, cursor string) (Page[Comment], error)
	// Comment reads one comment or reply.
	Comment(ctx context.Context, commentID string) (Comment, error)

	// Shares lists a project's presentations, review links and shares.
	Shares(ctx context.Context, projectID, cursor string) (Page[Share], error)
	// ShareItems lists the members of a share, in its order: what lies in a folder that is a member is none of its own.
	ShareItems(ctx context.Context, share Share, cursor string) (Page[ShareItem], error)
	// ShareByID reads a share made by CreateShare.
	ShareByID(ctx context.Context, shareID string) (Share, error)
	// Reviewers says who was invited, as far as the generation tells.
	Reviewers(ctx context.Context, shareID string) (Reviewers, error)

	// Collections lists a project's collections, those behind shares included.
	Collections(ctx context.Context, projectID, cursor string) (Page[Collection], error)
	// CollectionItems reads what is in a collection. known is false where the generation does not tell.
	CollectionItems(ctx context.Context, c Collection, project Project) (items []ShareItem, known bool, err error)
}

type glanceKey struct{}

// AtAGlance has Comments leave out what takes a call for each of them: somebody waits for a page.
func AtAGlance(ctx context.Context) context.Context { return context.WithValue(ctx, glanceKey{}, true) }

// IsGlance says that AtAGlance was asked for.
func IsGlance(ctx context.Context) bool { return ctx.Value(glanceKey{}) != nil }

// Migrated says that Frame.io has moved the account to its other API since something was recorded under that generation:
// links of before are dead, and ids may have changed. What was recorded under none is of the legacy API.
func Migrated(p Reader, recorded string) bool {
	return cmp.Or(Generation(recorded), Legacy) != p.Generation()
}
