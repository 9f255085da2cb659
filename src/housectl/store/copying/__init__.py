"""`housectl store copy`: a verified copy of what a store lacks from another one."""
