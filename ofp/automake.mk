# ofp/
