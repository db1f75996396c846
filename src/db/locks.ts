/**
 * Advisory locks of the database. The numbers are arbitrary; they only have to differ from all others in use there.
 * exposure_lock() of sql/functions uses 7_283_640_160.
 */
export const MIGRATION_LOCK = 7_283_640_155;
export const PURGE_LOCK = 7_283_640_156;
export const NOTICES_LOCK = 7_283_640_157;
export const IMPORT_LOCK = 7_283_640_158;
export const PLUGIN_ROLE_LOCK = 7_283_640_159;
