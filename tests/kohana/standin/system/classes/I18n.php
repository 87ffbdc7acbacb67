<?php defined('SYSPATH') OR die('No direct script access.');

class I18n {

	protected static $_lang = 'en-us';

	public static function lang($lang = NULL)
	{
		return $lang ? I18n::$_lang = $lang : I18n::$_lang;
	}

	public static function get($string, $lang = NULL)
	{
		foreach (Kohana::find_file('i18n', $lang ?: I18n::$_lang) as $file)
		{
			$table = Kohana::load($file);

			if (isset($table[$string]))
			{
				$string = $table[$string];
			}
		}

		return $string;
	}

}
