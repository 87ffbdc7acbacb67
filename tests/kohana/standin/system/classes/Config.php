<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Groups of settings, merged from the files of the cascading filesystem.
 */
class Config {

	protected $_sources = array();

	protected $_groups = array();

	public function attach($source)
	{
		$this->_sources[] = $source;

		return $this;
	}

	public function load($group)
	{
		if ( ! isset($this->_groups[$group]))
		{
			$config = array();

			foreach ($this->_sources as $source)
			{
				$config = array_replace_recursive($config, $source->load($group));
			}

			$this->_groups[$group] = new Config_Group($config);
		}

		return $this->_groups[$group];
	}

}
