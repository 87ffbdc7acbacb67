<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * An answer.
 */
class Response {

	public function __construct(protected $_status, protected $_body) {}

	public function status()
	{
		return $this->_status;
	}

	public function body()
	{
		return $this->_body;
	}

}
