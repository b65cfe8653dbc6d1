"""The local database: studies, impressions, the job queue. No Qt."""
