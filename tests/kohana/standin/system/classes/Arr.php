<?php defined('SYSPATH') OR die('No direct script access.');

class Arr {

	public static function get($array, $key, $default = NULL)
	{
		return isset($array[$key]) ? $array[$key] : $default;
	}

	public static function path($array, $path, $default = NULL)
	{
		foreach (explode('.', $path) as $key)
		{
			if ( ! is_array($array) OR ! isset($array[$key]))
				return $default;

			$array = $array[$key];
		}

		return $array;
	}

}
