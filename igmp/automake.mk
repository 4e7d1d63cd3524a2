# igmp/
