package legacy

// Unread lists the properties of the legacy API's responses that the adapter leaves out, each with its reason, as
// "object.path". A star stands for any part. What a person typed or chose about the project's content is never among them,
// except for a manual order within a folder, which iconik's collections do not have. A test walks the vendor's documentation
// and requires that every other property changes what the port returns.
var Unread = map[string]string{
	// Objects within others, which are read separately.
	"*.root_asset.*":             "the root folder; its id is read",
	"*.account.*":                "the account, which is not archived",
	"*.project.*":                "the project is read by itself",
	"*.team.*":                   "the team, which is not archived; its name is read",
	"presentation.asset.*":       "files are read by themselves",
	"presentation.assets[].*":    "files are read by themselves",
	"presentation.*_items[].*":   "files are read by themselves; the order of the items is kept",
	"link item.asset.*":          "files are read by themselves",
	"review link.items[].*":      "items are listed by themselves",
	"link item.review_link*":     "the link is read by itself",
	"link item.*_at":             "when the file was put into the link",
	"*.project_id":               "the project is read by itself",
	"*.team_id":                  "known from the project",
	"*.account_id":               "the account, which is not archived",
	"*.parent_asset_id":          "known from the listing",
	"*.owner_id":                 "the owner is read",
	"comment.has_replies":        "replies are listed with the comments",
	"single comment.has_replies": "replies are listed with the comments",
	"*.user_permissions.*":       "what the token's user may do",
	"project.user_preferences.*": "what the token's user is told of",
	"*.available_features":       "what the account's plan offers",
	"review link.updated_at":     "of the link's settings, which are kept",
	"presentation.updated_at":    "of the presentation's settings, which are kept",
	"review link.password":       "a secret; that there is one is kept",
	"review link.*_count":        "counted by reading its items",
	"project.invite_url":         "an address that lets people in: a secret",
	"project.*count":             "counted by reading the project",
	"project.*storage":           "counted by reading the project",
	"project.archived_at":        "when its originals went to cold storage",
	"project.ignore_archive":     "whether Frame.io archives it by itself",

	// People.
	"*.owner.*":   "of the person's account, not of the project; name and e-mail address are read",
	"*.creator.*": "of the person's account, not of the project; name and e-mail address are read",

	// Files.
	"*.archive*":             "when the original goes to cold storage by itself",
	"*.bundle*":              "a view of Frame.io's pages",
	"*.is_bundle_child":      "a view of Frame.io's pages",
	"*.hard_deleted_at":      "deleted files are not listed",
	"*.index":                "the place in an order by hand; iconik's collections have none",
	"*.metadata*":            "technical properties of the original; iconik reads them from it anew",
	"*.is_hls_required":      "what Frame.io's player needs",
	"*.required_transcodes*": "what Frame.io's player needs",
	"*.view_count":           "how often it was opened in Frame.io",
}
