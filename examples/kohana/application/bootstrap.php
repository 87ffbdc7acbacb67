<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Starts Kohana. Nothing of it is special, but for the module `tortoise`.
 */
if ( ! function_exists('get_magic_quotes_gpc'))
{
	// Kohana up to 3.3.6 asks for it
	function get_magic_quotes_gpc()
	{
		return FALSE;
	}
}

require SYSPATH.'classes/Kohana/Core'.EXT;
require SYSPATH.'classes/Kohana'.EXT;

date_default_timezone_set('UTC');

spl_autoload_register(array('Kohana', 'auto_load'));

I18n::lang('en-us');
Cookie::$salt = 'an example has nothing to hide';

// An application has its own folders for these; here the source tree stays clean
$folder = sys_get_temp_dir().'/tortoise-kohana-demo-'.posix_geteuid();

foreach (array($folder, $folder.'/cache', $folder.'/logs') as $name)
{
	is_dir($name) OR mkdir($name, 0700);
}

Kohana::$environment = Kohana::DEVELOPMENT;
Kohana::init(array(
	'base_url'   => '/',
	'index_file' => '',
	'cache_dir'  => $folder.'/cache',
));

Kohana::$log->attach(new Log_File($folder.'/logs'));
Kohana::$config->attach(new Config_File);

Kohana::modules(array(
	'tortoise' => dirname(dirname(DOCROOT)).'/kohana-module',
	'minion'   => MODPATH.'minion',
));

Route::set('default', '(<controller>(/<action>(/<id>)))')->defaults(array(
	'controller' => 'Books',
	'action'     => 'index',
));
