/**
 * Advisory locks of the database: any numbers will do, as long as they differ and nothing else there takes them.
 * 7_283_640_160 is exposure_lock() of sql/functions.
 */
export const MIGRATION_LOCK = 7_283_640_155;
export const PURGE_LOCK = 7_283_640_156;
export const NOTICES_LOCK = 7_283_640_157;
export const IMPORT_LOCK = 7_283_640_158;
export const PLUGIN_ROLE_LOCK = 7_283_640_159;
