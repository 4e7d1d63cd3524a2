# lab/
