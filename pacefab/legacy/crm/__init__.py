"""Commands of the crm shell (crmsh), 1.2 to 5: read, and replayed on the cluster as pcs's are."""
